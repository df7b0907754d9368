#!/bin/sh
# The time line of the web UI while it zooms and moves: 1 M states in 100 rows, without a GPU,
# beside timeline-chart (of Trace Compass's viewers) with the same states.
#
# usage: bench/web.sh BUILD [TRACE...]       (with traces: the time until their first finding is read)
#
# Needs node, chromium and npm; timeline-chart is installed for this only, into BUILD.
set -eu
build=$(cd "$1" && pwd)
shift
top=$(cd "$(dirname "$0")/.." && pwd)
[ $# -eq 0 ] || exec node "$top/bench/web/first.mjs" "$top/web" "$build/neph" "$@"
cd "$top"
for need in node npm chromium; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 0; }
done
[ -d web/node_modules ] || (cd web && npm ci --no-audit --no-fund --ignore-scripts --silent) ||
    { echo "skipped: npm can't be reached"; exit 0; }
rival=$build/bench-web
mkdir -p "$rival"
[ -d "$rival/node_modules/timeline-chart" ] ||
    npm install --prefix "$rival" --no-audit --no-fund --ignore-scripts --silent timeline-chart@0.4.3 lodash@4 ||
    echo "timeline-chart can't be had from npm: ours alone"
bundle() {
    NODE_PATH=$rival/node_modules web/node_modules/.bin/esbuild "bench/web/$1" --bundle --minify \
        --target=es2022 --format=iife --log-level=error --define:global=window \
        --define:process.env.NODE_ENV='"production"' --outfile="$rival/$2"
}
bundle worker.ts worker.js
bundle ours.ts ours.js
[ ! -d "$rival/node_modules/timeline-chart" ] || bundle rival.ts rival.js
exec node bench/web/run.mjs web "$rival"
