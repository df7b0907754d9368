#!/usr/bin/env python3
"""What neph says when there is nothing to measure, and whether all its JSON looks alike.

usage: measures.py path/to/neph
"""

import json
import os
import subprocess
import sys

NEPH = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOLDEN = os.path.join(TOP, "tests", "golden")


def trace(name):
    return os.path.join(GOLDEN, name, "in.jsonl")


def run(*args):
    return subprocess.run([NEPH] + list(args), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60)


def report(name, problems, p):
    print("%s %s" % ("not ok" if problems else "ok", name))
    for x in problems:
        print("# " + x)
    if problems:
        print("# stderr: " + p.stderr[:500])


def check(name, args, code, said=(), unsaid=()):
    p = run(*args)
    problems = [] if p.returncode == code else ["exit %d, not %d" % (p.returncode, code)]
    problems += ["stderr does not say %r" % w for w in said if w not in p.stderr]
    problems += ["stderr says %r" % w for w in unsaid if w in p.stderr]
    if code and p.stdout:
        problems.append("it prints %r" % p.stdout[:200])
    report(name, problems, p)


def unknown_names():
    """Who is not in the traces is an error, who only did nothing is not."""
    kernel = trace("kernel_ends_first")
    for view in ("top", "stats", "log", "freq"):
        for what, option in (("instance", "--vm"), ("service", "--service"),
                             ("thread", "--thread")):
            check("%s: no such %s" % (view, what),
                  [view, "sched", option, "nobody", kernel], 5,
                  ["no %s 'nobody' in these traces" % what, "neph list"])
    check("no such thread number", ["top", "cpu", "--thread", "4711", kernel], 5, ["'4711'"])
    check("the first that is not there is named",
          ["top", "cpu", "--vm", "vm-a", "--service", "x", kernel], 5, ["no service 'x'"])
    for option, name in (("--vm", "vm-a"), ("--service", "nova-compute"), ("--service", "nova-*"),
                         ("--thread", "10"), ("--thread", "CPU*")):
        check("%s %s is there" % (option, name), ["top", "io", option, name, kernel], 0,
              unsaid=["in these traces"])
    logs = trace("show_vm_kernel")
    for name in ("vm-web", "instance-00000001", "00000000-0000-4000-8000-000000000001",
                 "vm-other"):
        check("--vm %s is there" % name, ["top", "irq", "--vm", name, logs], 0,
              unsaid=["in these traces"])


def empty_windows():
    kernel, nothing = trace("kernel_ends_first"), "no kernel was traced in this window"
    check("a window before the kernel's trace",
          ["top", "cpu", "-r", "+0ns,+900ns", kernel], 0, [nothing])
    check("a window behind the kernel's trace",
          ["stats", "syscall", "-r", "+1ms,+2ms", kernel], 0, [nothing])
    check("a window that meets the kernel's trace",
          ["top", "cpu", "-r", "+0ns,+1100ns", kernel], 0, unsaid=[nothing])
    check("logs alone", ["top", "cpu", trace("request_over_three_hosts")], 0, [nothing])
    check("block requests alone", ["top", "io", trace("kernel_requests")], 0, unsaid=[nothing])


def misindented(text):
    """The first line that is not two blanks deeper for each bracket that is open."""
    depth, quoted, escaped = 0, False, False
    for no, line in enumerate(text.splitlines(), 1):
        bare = line.lstrip(" ")
        if len(line) - len(bare) != 2 * (depth - (bare[:1] in ("]", "}"))):
            return "line %d: %r" % (no, line)
        for c in bare:
            if escaped or (quoted and c == "\\"):
                escaped = not escaped
            elif c == '"':
                quoted = not quoted
            elif not quoted:
                depth += (c in "[{") - (c in "]}")
    return None


def json_alike():
    kernel, logs = trace("kernel_ends_first"), trace("request_over_three_hosts")
    show = trace("show_vm_kernel")
    runs = [[kernel], [logs], ["version"], ["info", logs], ["doctor", kernel], ["stats", logs],
            ["show", "vm", "vm-web", show], ["critical", "--thread", "nova-compute", kernel],
            ["critical", "--thread", "10", "-r", "+1100ns,+1200ns", kernel],
            ["state", "-t", "+1100ns", kernel], ["timeline", "threads/*/state", kernel]]
    runs += [["list", what, logs] for what in ("tasks", "requests", "services", "hosts", "steps",
                                               "durations", "mappings", "threads", "vms")]
    runs += [[view, "sched", kernel] for view in ("top", "stats", "log", "freq")]
    for args in runs:
        p = run(*args, "-o", "json")
        problems = [] if p.returncode == 0 else ["exit %d" % p.returncode]
        try:
            json.loads(p.stdout)
        except ValueError as e:
            problems.append("no JSON: %s" % e)
        if not p.stdout.endswith(("}\n", "]\n")):
            problems.append("it ends in %r" % p.stdout[-3:])
        if misindented(p.stdout):
            problems.append("indented unlike the others: " + misindented(p.stdout))
        words = [a for a in args if not a.startswith("/")]
        report("json of " + (" ".join(words) or "the summary of " +
                             os.path.basename(os.path.dirname(args[0]))), problems, p)


unknown_names()
empty_windows()
json_alike()
