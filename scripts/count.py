# SPDX-License-Identifier: MIT
"""Count the outcome of the last `meson test` of a build directory: prints `passed failed`.

A test that reports its cases (TAP) counts case by case, any other counts as one.
"""

import json
import os
import sys
import xml.etree.ElementTree as tree

GOOD = ("OK", "EXPECTEDFAIL")
NEUTRAL = ("SKIP",)


def cases(logs):
    """Per test that reports cases: [passed, failed], from meson's JUnit file."""
    result = {}
    root = tree.parse(os.path.join(logs, "testlog.junit.xml")).getroot()
    for suite in root.iter("testsuite"):
        # Such a test is a suite of its own, called project.test.
        _, dot, name = suite.get("name").partition(".")
        if not dot:
            continue
        count = result.setdefault(name, [0, 0])
        for case in suite.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                count[1] += 1
            elif case.find("skipped") is None:
                count[0] += 1
    return result


def main(build):
    logs = os.path.join(build, "meson-logs")
    by_test = cases(logs)
    passed = failed = 0
    with open(os.path.join(logs, "testlog.json"), encoding="utf-8") as f:
        for line in f:
            test = json.loads(line)
            good = test["result"] in GOOD
            if test["result"] in NEUTRAL:
                continue
            inside = by_test.get(test["name"])
            if inside and sum(inside) and (good or inside[1]):
                passed += inside[0]
                failed += inside[1]
            elif good:
                passed += 1
            else:
                # It broke off: what it had passed does not make up for that.
                failed += 1
    print(passed, failed)


main(sys.argv[1])
