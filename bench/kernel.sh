#!/bin/sh
# The kernel layer from end to end: reading, all states and records, the history on disk.
#
# usage: bench/kernel.sh BUILD [TRACE...]
#
# Without traces the simulator makes some with 100 to 50,000 threads.  See kernel.py.
exec python3 "$(dirname "$0")/kernel.py" "$@"
