# SPDX-License-Identifier: MIT
"""Who may include whom.

Each row: which files, which system headers, which project files they may include. The first row
that matches a file counts. Patterns are those of fnmatch, where '*' also matches '/'.
"""

import fnmatch
import os
import re

import common

C_STD = ["assert.h", "errno.h", "inttypes.h", "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h",
         "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "time.h"]
# What code in lib/ needs of C itself; everything with a run time behind it is the port's.
C_LANG = ["assert.h", "errno.h", "limits.h", "stdalign.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
          "string.h"]
CODEC = ["stdint.h", "stdbool.h"]
PUBLIC = "lib/pagetree.h"
PORT = "lib/port/*.h"
NODES = [PUBLIC, PORT, "arch/pte.h", "lib/node.h", "lib/pool.h"]
# Everything of lib/ that is written once for all pairs.
COMMON = [PUBLIC, PORT, "lib/*.h", "arch/pte.h"]

RULES = [
    # files               system headers      project files
    (PUBLIC,              C_STD,              []),
    ("arch/*",            CODEC,              [PUBLIC, "arch/*"]),
    ("lib/template.h",    C_LANG,             ["lib/*", "arch/*"]),
    ("lib/instance.c",    C_LANG,             ["lib/template.h"]),
    ("lib/registry.c",    C_LANG,             ["instances.def"] + COMMON),
    ("lib/access.h",      C_LANG,             NODES),
    ("lib/sync/*",        C_LANG,             [PORT, "lib/sync/*"]),
    ("lib/strategy/*",    C_LANG,             COMMON + ["lib/sync/*", "lib/strategy/*"]),
    ("lib/port/host/*",   ["*"],              [PORT]),
    ("lib/port/model/*",  ["*"],              [PORT, "stress/explore/*"]),
    ("lib/port/*",        C_LANG,             [PORT, "lib/port/*/port_impl.h"]),
    ("lib/*",             C_LANG,             COMMON + ["lib/strategy/contract.h"]),
    # What is measured by itself.
    ("bench/micro/suite_locks.c", ["*"],      ["bench/*", "lib/sync/*"]),
    ("bench/*",           ["*"],              [PUBLIC, "bench/*"]),
    ("stress/fuzz/*",     ["*"],              [PUBLIC, "tests/*", "stress/fuzz/*"]),
    # On the library that ships, and on small parts of the benchmark.
    ("stress/run/*",      ["*"],              [PUBLIC, PORT, "bench/*", "stress/run/*",
                                               "stress/history/*", "stress/nodelock.h", "hardware.def"]),
    # The pool by itself has no other door.
    ("stress/explore/spares.c", ["*"],        [PUBLIC, "lib/pool.h", "stress/*"]),
    ("stress/*",          ["*"],              [PUBLIC, "lib/check.h", PORT, "stress/*",
                                               "bench/interrupt.h"]),
    ("tests/*",           ["*"],              [PUBLIC, "tests/*", "arch/*", "lib/*", "bench/*",
                                               "stress/history/*", "stress/run/sanitizer.h"]),
]
# Include directories, in the order in which a name is looked up after the includer's own folder.
LIB_DIRS = ["lib", "arch", "lib/port", "lib/port/host", "lib/port/model"]
DIRS = {
    "lib": LIB_DIRS + ["stress", "stress/explore"],
    "arch": LIB_DIRS,
    "bench": ["bench/replay", "bench", "lib"],
    "stress": ["stress", "stress/explore", "tests"] + LIB_DIRS + ["bench"],
    "stress/run": ["bench", "stress"] + LIB_DIRS,
    "tests": ["tests", "bench/micro", "bench/replay", "bench", "stress"] + LIB_DIRS,
}
# By name only in the template: everyone else works with whichever pair is compiled. Files beside
# them that are no format or strategy themselves are shared, and free.
MAY_NAME = ["lib/template.h", "arch/*", "tests/*"]
GENERATED = ["instances.def", "hardware.def"]

DIRECTIVE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:<([^>]+)>|"([^"]+)"|(\w+))', re.MULTILINE)


def listed():
    """The headers of all formats and strategies, by the lists of meson.build."""
    text = common.read("meson.build")
    result = set()
    for name, folder in (("formats", "arch"), ("strategies", "lib/strategy")):
        for items in re.findall(r"^%s = \[([^\]]*)\]" % name, text, re.MULTILINE):
            result.update("%s/%s.h" % (folder, i) for i in re.findall(r"'(\w+)'", items))
    return result


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, p) for p in patterns)


def resolve(name, includer):
    if name in GENERATED:
        return name
    own = os.path.dirname(includer)
    for folder in [own] + (DIRS.get(own) or DIRS[includer.split("/")[0]]):
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.isfile(os.path.join(common.ROOT, path)):
            return path
    return None


def main(_):
    report = common.Report("includes")
    by_name = listed()
    for name in common.c_files("lib/", "arch/", "bench/", "stress/", "tests/"):
        rule = next((r for r in RULES if fnmatch.fnmatch(name, r[0])), None)
        text = common.strip_comments(common.read(name), strings=False)
        for match in DIRECTIVE.finditer(text):
            report.looked += 1
            line = text.count("\n", 0, match.start()) + 1
            system, quoted, macro = match.groups()
            if system:
                if not matches(system, rule[1]):
                    report.fail(name, line, "<%s> is not for %s; what a file may include is "
                                "in the table of scripts/style/includes.py" % (system, rule[0]))
            elif macro:
                if name != "lib/template.h":
                    report.fail(name, line, "only lib/template.h includes by macro")
            else:
                path = resolve(quoted, name)
                if path is None:
                    report.fail(name, line, 'there is no "%s" in the project; system headers '
                                "go in <>" % quoted)
                elif path in by_name and not matches(name, MAY_NAME):
                    report.fail(name, line, "only lib/template.h names a format or strategy; use "
                                "the contract's names")
                elif not matches(path, rule[2]):
                    report.fail(name, line, "%s must not include %s; see the table of "
                                "scripts/style/includes.py" % (rule[0], path))
    return report.done()


common.run(main)
