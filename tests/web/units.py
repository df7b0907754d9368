#!/usr/bin/env python3
"""What the pages compute without a page: instants, texts, strips, what is asked for.

usage: units.py path/to/neph       (bundles units.ts with web's esbuild, runs it with node)
"""

import os
import subprocess
import sys

from _browser import TOP, WEB, need_node

need_node()
OUT = os.path.join(os.environ["TMPDIR"], "units.mjs")
subprocess.run([os.path.join(WEB, "node_modules/.bin/esbuild"), os.path.join(TOP, "tests/web/units.ts"),
                "--bundle", "--format=esm", "--platform=node", "--target=es2022",
                "--log-level=warning", "--outfile=" + OUT],
               check=True, env=dict(os.environ, NODE_PATH=os.path.join(WEB, "node_modules")), timeout=60)
sys.exit(subprocess.run(["node", OUT], timeout=120).returncode)
