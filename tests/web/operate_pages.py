#!/usr/bin/env python3
"""The pages of `neph serve` on simulated clouds, used as an operator uses them.

usage: operate_pages.py path/to/neph
"""

import os
import sys

from _browser import need, operate, simulated

NEPH = os.path.abspath(sys.argv[1])
CHROMIUM = need()
sys.exit(operate(NEPH, CHROMIUM, simulated(NEPH, ("migration-hogs", "small-cloud", "kernel-lost"))))
