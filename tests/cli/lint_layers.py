#!/usr/bin/env python3
"""Plants violations in a small tree and looks whether the linters see them."""

import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CLEAN = {
    "src/base/str.h": "#include <stddef.h>\n",
    "src/base/str.c": '#include "base/str.h"\n',
    "src/model/schema.h": '#define ATTR_VM "vms/{vm}/state"\n',
    "src/store/store.h": '/* as "vms/x/state" or\n * "vms/y" */\n#include "base/str.h"\n'
                         'char *path; /* "vms/{vm}/state" */\n',
    "src/store/node_priv.h": '#include "store/store.h"\n',
    "src/store/store.c": '#include "store/store.h"\n#include "store/node_priv.h"\n',
    "src/report/report.c": '#include "store/store.h"\n#include "model/schema.h"\n',
    "sim/cloud.h": '#include "base/str.h"\n',
    "cli/main.c": '#include "sim/cloud.h"\n#include "report/report.h"\n',
    "tests/unit/test_store.c": '#include "store/node_priv.h"\n#include "helper.h"\n',
}

# name, linter, file, its text, what must be said
PLANTED = [
    ("layer", "check-includes", "src/store/store.c",
     '#include "store/store.h"\n#include "model/schema.h"\n',
     "src/store/store.c:2: store may not include model"),
    ("spaced directive", "check-includes", "src/store/store.c",
     '/* */\n\n  #  include   "model/schema.h"\n',
     "src/store/store.c:3: store may not include model"),
    ("base knows nobody", "check-includes", "src/base/str.c", '#include "ctf/meta.h"\n',
     "src/base/str.c:1: base may not include ctf"),
    ("nobody includes cli", "check-includes", "src/serve/http.c", '#include "cli/cmd.h"\n',
     "src/serve/http.c:1: serve may not include cli"),
    ("private header", "check-includes", "src/report/report.c", '#include "store/node_priv.h"\n',
     'src/report/report.c:1: "store/node_priv.h" is private to store'),
    ("include without folder", "check-includes", "src/store/store.c", '#include "store.h"\n',
     'src/store/store.c:1: write "store.h" with its folder'),
    ("include by ..", "check-includes", "src/store/store.c", '#include "../model/schema.h"\n',
     'src/store/store.c:1: write "../model/schema.h" from the top, without ..'),
    ("unknown folder included", "check-includes", "src/store/store.c", '#include "util/x.h"\n',
     'src/store/store.c:1: "util/x.h": there is no folder util'),
    ("unknown folder", "check-includes", "src/util/x.c", "int x;\n",
     "src/util/x.c:1: the folder util is not in tools/layers.txt"),
    ("attribute path", "check-patterns", "src/report/report.c",
     '\nconst char *p = "vms/%s/state";\n',
     "src/report/report.c:2: attribute paths are written in src/model/schema.h only"),
    ("library prints", "check-patterns", "src/store/store.c", 'void f(void) { printf("x"); }\n',
     "src/store/store.c:1: library code does not print"),
    ("unsafe function", "check-patterns", "cli/main.c", "*x = atoi(argv[1]);\n",
     "cli/main.c:1: knows no errors"),
]


def plant(tree, files):
    for path, text in files.items():
        path = os.path.join(tree, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)


def lint(tool, files):
    """Returns (exit code, lines) of a linter of ours over a tree of 'files'."""
    with tempfile.TemporaryDirectory() as tree:
        os.makedirs(os.path.join(tree, "tools"))
        for table in ("layers.txt", "lint-patterns.txt"):
            shutil.copy(os.path.join(TOP, "tools", table), os.path.join(tree, "tools"))
        plant(tree, files)
        p = subprocess.run([os.path.join(TOP, "tools", tool), tree], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, encoding="utf-8")
        return p.returncode, p.stdout.splitlines()


def report(name, good, code, lines):
    print("%s %s" % ("ok" if good else "not ok", name))
    if not good:
        print("# exit %d\n# %s" % (code, "\n# ".join(lines)))
    return good


def main():
    good = True
    for tool in ("check-includes", "check-patterns"):
        code, lines = lint(tool, CLEAN)
        good &= report("%s: a clean tree passes" % tool, code == 0 and not lines, code, lines)
    for name, tool, path, text, said in PLANTED:
        code, lines = lint(tool, dict(CLEAN, **{path: text}))
        found = len(lines) == 1 and lines[0].startswith(said)
        good &= report("%s: %s" % (tool, name), code == 1 and found, code, lines)
    table = "base: model\nmodel: base\n"
    code, lines = lint("check-includes", dict(CLEAN, **{"tools/layers.txt": table}))
    good &= report("check-includes: a cycle in the table",
                   code == 1 and lines[0] == "tools/layers.txt:1: base names model, "
                   "which is not above it", code, lines)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
