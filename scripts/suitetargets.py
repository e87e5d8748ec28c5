# SPDX-License-Identifier: MIT
"""What ninja must build for `meson test` with the same suites: suitetargets.py <build> [-]<suite>...

A suite with a minus is one whose tests are not to run.
"""

import json
import os
import subprocess
import sys


def introspect(build, what):
    return json.loads(subprocess.check_output(["meson", "introspect", build, "--" + what]))


def main(build, suites):
    wanted = {s for s in suites if not s.startswith("-")}
    unwanted = {s[1:] for s in suites if s.startswith("-")}
    needed = set()
    for test in introspect(build, "tests"):
        names = {s.split(":")[-1] for s in test["suite"]}
        if names & wanted and not names & unwanted:
            needed.update(test["depends"])
    for target in introspect(build, "targets"):
        if target["id"] in needed:
            for name in target["filename"]:
                print(os.path.relpath(name, os.path.abspath(build)))


main(sys.argv[1], sys.argv[2:])
