# SPDX-License-Identifier: MIT
"""Count the outcome of the last `meson test` of a build directory.

Prints `passed failed` on stdout, and what failed on stderr. A test that reports its cases (TAP)
counts case by case, any other counts as one.
"""

import json
import os
import re
import sys

GOOD = ("OK", "EXPECTEDFAIL")
PLAN = re.compile(r"^1\.\.\d+", re.MULTILINE)
TAIL = 60  # lines shown of a test without cases


def cases(text):
    """[(passed, the case's line and the comments below it)] of a TAP stream; skipped ones aside."""
    result = []
    for line in text.split("\n"):
        match = re.match(r"(not )?ok \d+\b", line)
        if match:
            skipped = re.search(r"# skip", line, re.IGNORECASE)
            result.append(None if skipped else [not match.group(1), [line]])
        elif result and result[-1] and line.strip():
            result[-1][1].append(line)
    return [c for c in result if c]


def main(build):
    passed = failed = 0
    with open(os.path.join(build, "meson-logs", "testlog.json"), encoding="utf-8") as f:
        tests = [json.loads(line) for line in f]
    for test in tests:
        good = test["result"] in GOOD
        out = test.get("stdout", "")
        found = cases(out) if PLAN.search(out) else []
        bad = [c for c in found if not c[0]]
        if test["result"] == "SKIP" and not bad:
            continue
        passed += len(found) - len(bad) if found else good
        failed += len(bad) if bad else not good
        if good and not bad:
            continue
        show = [line for c in bad for line in c[1]] or out.strip().split("\n")[-TAIL:]
        show = [line for line in show if not line.startswith("ok ")]
        show += test.get("stderr", "").strip().split("\n")[-TAIL:]
        print("%s: %s (exit code %s)" % (test["name"], test["result"], test.get("returncode")),
              *("    " + line for line in show if line.strip()), sep="\n", file=sys.stderr)
    print(int(passed), int(failed))


main(sys.argv[1])
