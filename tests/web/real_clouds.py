#!/usr/bin/env python3
"""The pages on traces of real clouds, where those are.

usage: real_clouds.py path/to/neph
"""

import os
import sys

from _browser import need, operate, real

CHROMIUM = need()
CLOUDS = real(("migration-vm", "openstack-zed"))
sys.exit(operate(os.path.abspath(sys.argv[1]), CHROMIUM, CLOUDS) if CLOUDS else 0)
