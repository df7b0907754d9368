#!/bin/sh
# How fast is a trace decoded that LTTng-UST has recorded just now?
#
# usage: bench/ust.sh BUILD
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rc=0
lab/ust/record.sh "$folder/trace" 4000000 || rc=$?
if [ $rc -eq 4 ]; then
    echo "skip: no trace of LTTng-UST without LTTng"
    exit 0
fi
[ $rc -eq 0 ] || exit $rc
"$1/bench/ctf" "$folder/trace"
