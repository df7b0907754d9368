#!/bin/sh
# Records a real trace with LTTng-UST: two threads of an application that handles
# requests as fast as they can (requests.c).
#
# usage: lab/ust/record.sh FOLDER EVENTS
#
# Needs lttng-tools and liblttng-ust-dev; without, says what is missing and exits with 4.
# A session daemon is started if none runs, and ended afterwards.  Buffers are
# large enough that nothing is lost on an idle machine; what is lost is counted in
# the trace.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
events=$2
for tool in lttng lttng-sessiond; do
    command -v $tool >/dev/null || { echo "record: there is no $tool (package lttng-tools)" >&2; exit 4; }
done
work=$(mktemp -d)
daemon=
cleanup() {
    [ -z "$daemon" ] || { kill "$daemon" && wait "$daemon" || true; } 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT INT TERM
if ! "${CC:-cc}" -O2 -I"$here" -o "$work/requests" "$here/requests.c" -llttng-ust -lpthread -ldl \
    2>"$work/cc.log"; then
    echo "record: cannot build the application (package liblttng-ust-dev?):" >&2
    head -n 3 "$work/cc.log" >&2
    exit 4
fi
export LTTNG_HOME="$work"
if ! lttng --no-sessiond list >/dev/null 2>&1; then
    lttng-sessiond --no-kernel >"$work/sessiond.log" 2>&1 &
    daemon=$!
    tries=50
    until lttng --no-sessiond list >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { cat "$work/sessiond.log" >&2; exit 4; }
        sleep 0.1
    done
fi
session=record-$$
{
    lttng create "$session" --output "$folder"
    lttng enable-channel -u -s "$session" --subbuf-size 8M --num-subbuf 16 requests
    lttng enable-event -u -s "$session" -c requests 'app:*'
    lttng start "$session"
    "$work/requests" "$events"
    lttng stop "$session"
    lttng destroy "$session"
} >"$work/lttng.log" 2>&1 || { cat "$work/lttng.log" >&2; exit 1; }
