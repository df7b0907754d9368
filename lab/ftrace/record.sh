#!/bin/sh
# Records what the kernel of this machine does while virtual machines run, without any
# module or tracer: through an instance of tracefs of its own.
#
# usage: lab/ftrace/record.sh FOLDER SECONDS [TRACE_DAT]
#
# Needs root and tracefs; without, says what is missing and exits with 4.  Two machines of
# QEMU (package qemu-system-x86, no KVM needed) run if it is installed: vm-1000 computes,
# vm-1001 reads its disk.  Both names, and what is left of them after SECONDS, are ours alone.
#
#   FOLDER/kernel.ftrace.txt  the text of tracefs's file trace; the clock is mono, that of LTTng
#   FOLDER/trace_clock        which clock: the text does not tell
#   FOLDER/threads.txt        process, thread and name of each thread of the machines
#   FOLDER/stats.txt          what the kernel counted, lost events too
#   TRACE_DAT                 the same events in binary, if trace-cmd is there; not in FOLDER,
#                             where they would be read beside the text
set -eu
folder=$1
seconds=$2
dat=${3:-}
buffer_kb=${BUFFER_KB:-32768} # a CPU
mkdir -p "$folder"
missing() { echo "record: $*" >&2; exit 4; }
[ "$(id -u)" = 0 ] || missing "needs root"

work=$(mktemp -d)
tracefs=/sys/kernel/tracing
mounted=
instance=
machines=
cleanup() {
    for pid in $machines; do kill "$pid" 2>/dev/null || true; done
    for pid in $machines; do wait "$pid" 2>/dev/null || true; done
    if [ -n "$instance" ]; then
        echo 0 >"$instance/tracing_on" || true
        echo 0 >"$instance/events/enable" || true
        rmdir "$instance" || true
    fi
    [ -z "$mounted" ] || umount "$tracefs" || true
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

if [ ! -e $tracefs/trace_clock ]; then
    tracefs=$work/tracefs
    mkdir "$tracefs"
    mount -t tracefs neph "$tracefs" 2>/dev/null || missing "tracefs can't be mounted"
    mounted=yes
fi
mkdir "$tracefs/instances/neph.$$" 2>/dev/null || missing "no instance can be made in $tracefs"
instance=$tracefs/instances/neph.$$
echo 0 >"$instance/tracing_on"
echo mono >"$instance/trace_clock"
echo "$buffer_kb" >"$instance/buffer_size_kb"
for option in record-tgid record-cmd; do # a kernel has them here, for all, or not at all
    if [ -e "$instance/options/$option" ]; then
        echo 1 >"$instance/options/$option"
    fi
done
for event in sched/sched_switch sched/sched_waking sched/sched_wakeup sched/sched_wakeup_new \
    sched/sched_migrate_task sched/sched_process_fork sched/sched_process_exec \
    sched/sched_process_exit irq/irq_handler_entry irq/irq_handler_exit irq/softirq_raise \
    irq/softirq_entry irq/softirq_exit block/block_rq_insert block/block_rq_issue \
    block/block_rq_complete net/net_dev_queue net/net_dev_xmit net/netif_receive_skb \
    raw_syscalls/sys_enter raw_syscalls/sys_exit; do
    if [ -e "$instance/events/$event/enable" ]; then
        echo 1 >"$instance/events/$event/enable" || true
    fi
done

# Boot sectors.  "jmp $": computes.  The other calls the BIOS to read sector 2 of the first disk to
# 0:7e00 again and again: xor ax,ax; mov es,ax; mov ax,0201; mov cx,2; mov bx,7e00; mov dx,0080;
# int 13; jmp -18.
boot_disk() { # FILE CODE
    # shellcheck disable=SC2059
    printf "$2" >"$1" # octal bytes
    truncate -s 510 "$1"
    printf '\125\252' >>"$1"
    truncate -s 1M "$1"
}
start_machine() { # NUMBER CODE
    boot_disk "$work/$1.img" "$2"
    qemu-system-x86_64 -name "guest=vm-$1,process=qemu:vm-$1,debug-threads=on" \
        -uuid "00000000-0000-4000-8000-00000000$1" -accel tcg -m 32 -nodefaults -display none \
        -drive "file=$work/$1.img,format=raw,if=ide" >"$work/$1.log" 2>&1 &
    machines="$machines $!"
}
if command -v qemu-system-x86_64 >/dev/null; then
    start_machine 1000 '\353\376'
    start_machine 1001 '\061\300\216\300\270\001\002\271\002\000\273\000\176\272\200\000\315\023\353\356'
else
    echo "record: no machines run: there is no qemu-system-x86_64 (package qemu-system-x86)" >&2
fi

echo 1 >"$instance/tracing_on"
sleep "$seconds"
echo 0 >"$instance/tracing_on"
for pid in $machines; do
    for task in /proc/"$pid"/task/*; do
        [ ! -e "$task/comm" ] || echo "$pid ${task##*/} $(cat "$task/comm")"
    done
done >"$folder/threads.txt"
cat "$instance/trace_clock" >"$folder/trace_clock"
cat "$instance/trace" >"$folder/kernel.ftrace.txt"
for cpu in "$instance"/per_cpu/cpu*; do
    echo "${cpu##*/}"
    cat "$cpu/stats"
done >"$folder/stats.txt"

# The pages of the ring buffers, which reading takes out; trace-cmd puts its header before them.
if [ -n "$dat" ] && command -v trace-cmd >/dev/null; then
    files=
    for cpu in $(cd "$instance/per_cpu" && ls -d cpu* | sort -k1.4n); do
        dd if="$instance/per_cpu/$cpu/trace_pipe_raw" of="$work/$cpu" bs="$(getconf PAGESIZE)" \
            iflag=nonblock 2>/dev/null || true # it ends with "try again"
        files="$files $work/$cpu"
    done
    # shellcheck disable=SC2086
    trace-cmd restore -o "$dat" $files >"$work/restore.log" 2>&1 || {
        echo "record: no trace.dat: $(tail -n 1 "$work/restore.log")" >&2
        rm -f "$dat"
    }
fi
