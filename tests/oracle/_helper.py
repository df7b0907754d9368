"""What the oracle tests of the kernel layer have in common."""

import sys

SHOWN = 5  # problems of one test that are printed


def report(name, problems):
    """The line of a test, and what is wrong."""
    print("%s %s" % ("not ok" if problems else "ok", name))
    for p in problems[:SHOWN]:
        print("# " + p)
    if len(problems) > SHOWN:
        print("# and %d more" % (len(problems) - SHOWN))
    sys.stdout.flush()
