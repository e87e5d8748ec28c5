# SPDX-License-Identifier: MIT
"""The checkers find what they are for: each is run on a small tree with known violations."""

import os
import subprocess
import sys
import tempfile

import common

MUTANT = "# SPDX-License-Identifier: MIT\n# bug: b\n"
SPDX = "/* SPDX-License-Identifier: MIT */\n"
TREE = {
    "meson.build": "# SPDX-License-Identifier: MIT\nformats = []\nstrategies = ['one']\n"
                   "files('lib/symbols.c')\n",
    "lib/pagetree.h": SPDX + "#define PT_API\nPT_API int pt_public(void);\n",
    "lib/pagetree.map": SPDX + "V { global: pt_gone; local: *; };\n",
    "lib/access.h": SPDX + """/*
 * Ordering edges
 * [ORD-link] listed, both sides there
 * [ORD-dead] listed, never used
 */
#include <pthread.h>
#include "strategy/one.h"

static unsigned long counter;
static _Thread_local int mine;
static const int constant = 3;

static inline void put(_Atomic int *p)
{
	/* [ORD-link] pairs with get(). */
	atomic_store_explicit(p, 1,
			      memory_order_release);
}

static inline int get(_Atomic int *p)
{
	return atomic_fetch_or_explicit(p, 0, memory_order_acquire); /* [ORD-link] */
}

static inline int bare(_Atomic int *p)
{
	return atomic_load_explicit(p, memory_order_acquire) + atomic_load(p);
}

static inline int half(_Atomic int *p)
{
	/* [ORD-half] */
	return atomic_load_explicit(p, memory_order_acquire);
}

static inline void fence(void)
{
	atomic_signal_fence(memory_order_relaxed);
	malloc(3); /* free() in a comment */
}
""",
    "lib/strategy/one.h": "static int unmarked;\n",
    "lib/symbols.c": SPDX + """int leaked(void);
int leaked(void)
{
	return 0;
}
int pt_public(void);
int pt_public(void)
{
	return 0;
}
int pt_private(void);
int pt_private(void)
{
	static int hidden;
	return hidden++;
}
""",
    "bench/nosy.c": SPDX + '#include "access.h"\nint  spaces;\n',
    "stress/mutants/good.mutant": MUTANT + """# origin: o
file: lib/symbols.c
function: leaked
--- anchor
  return  0;
+++ replacement
	return 1;
=== end
""",
    "stress/mutants/twice.mutant": MUTANT + """# origin: o
file: lib/symbols.c
function: -
--- anchor
	return 0;
+++ replacement
=== end
""",
    "stress/mutants/broken.mutant": MUTANT + """# origin: o
file: lib/symbols.c
function: leaked
--- anchor
	return 0;
+++ replacement
	return nonsense;
=== end
""",
    "stress/mutants/README.md": "| 1 | a | `gone` | |\n| 2 | b | - | |\n",
    "stress/mutants/equivalent.txt": "lib/gone.c f drop a(); => ;\n\treason\n",
    ".clang-format": "# SPDX-License-Identifier: MIT\nBasedOnStyle: LLVM\n",
}
EXPECT = {
    "listed": ["bench/nosy.c:1:"],
    "spdx": ["lib/strategy/one.h:1:"],
    "format": ["bench/nosy.c:3:"],
    "includes": ["bench/nosy.c:2:", "lib/access.h:7:", "lib/access.h:8:"],
    "order": ["lib/access.h:28: implicit", "lib/access.h:28: atomic_load_explicit(acquire) has no",
              "lib/access.h:34: [ORD-half] has no access that release",
              "lib/access.h:34: [ORD-half] is not in the table",
              "lib/access.h:5: [ORD-dead]", "lib/access.h:39: no stand-alone"],
    "port": ["lib/access.h:10: 'counter'", "lib/access.h:11: '_Thread_local'",
             "lib/access.h:40: 'malloc'", "symbols.o: 'hidden.0'"],
    "symbols": ["symbols.o: global symbol 'leaked'", "symbols.o: 'pt_private' is exported",
                "lib/pagetree.map: 'pt_public' of", "lib/pagetree.map: 'pt_gone' is not in"],
    "mutants": ["stress/mutants/twice.mutant:6: the anchor matches 2 times",
                "stress/mutants/broken.mutant:1: does not compile",
                "stress/mutants/README.md:1: there is no mutant gone",
                "stress/mutants/README.md:2: bug 2 has neither", "bug 3 is missing",
                "stress/mutants/equivalent.txt:1: there is no such place"],
}
# Findings a checker may add beyond those expected.
MORE = {"port": 1, "format": 100, "mutants": 43}


def main(arguments):
    compiler = arguments or ["cc"]
    report = common.Report("selftest")
    here = os.path.dirname(os.path.abspath(__file__))
    with tempfile.TemporaryDirectory() as tree:
        for name, text in TREE.items():
            path = os.path.join(tree, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        build = os.path.join(tree, "build")
        archive = os.path.join(build, "lib.a")
        os.mkdir(build)
        line = compiler + ["-DPT_MODEL", "-c", "../lib/symbols.c", "-o", "symbols.o"]
        subprocess.run(line, cwd=build, check=True)
        subprocess.run(["ar", "rcs", archive, "symbols.o"], cwd=build, check=True)
        with open(os.path.join(build, "compile_commands.json"), "w", encoding="utf-8") as f:
            f.write('[{"directory": "%s", "file": "../lib/symbols.c", "command": "%s"}]'
                    % (build, " ".join(line)))
        extra = {"port": [archive], "symbols": [archive], "mutants": [build]}
        for name, expected in EXPECT.items():
            report.looked += 1
            out = subprocess.run(
                [sys.executable, os.path.join(here, name + ".py"), tree] + extra.get(name, []),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            lines = out.stdout.decode().strip().split("\n")
            if out.returncode != 1:
                report.fail(name + ".py", 0, "exit code %d instead of 1" % out.returncode)
            missed = [e for e in expected if not any(e in found for found in lines)]
            for e in missed:
                report.fail(name + ".py", 0, "does not report '%s'" % e)
            if len(lines) - 1 > len(expected) + MORE.get(name, 0) or missed:
                report.fail(name + ".py", 0, "reports:\n    " + "\n    ".join(lines))
    return report.done()


common.run(main)
