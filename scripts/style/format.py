# SPDX-License-Identifier: MIT
"""All C code is laid out by .clang-format."""

import os
import re
import shutil
import subprocess

import common

TOOLS = ("clang-format-14",)


def main(_):
    report = common.Report("format")
    tool = next((t for t in TOOLS if shutil.which(t)), None)
    if not tool:
        report.fail(TOOLS[0], 0, "not installed; run scripts/setup")
        return report.done()
    names = common.c_files("")
    report.looked = len(names)
    if not names:
        return report.done()
    out = subprocess.run([tool, "--style=file", "--dry-run", "--Werror"] + names,
                         cwd=common.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    seen = set()
    for line in out.stderr.decode(errors="replace").split("\n"):
        match = re.match(r"(.+?):(\d+):\d+: error", line)
        if match and (match.group(1), match.group(2)) not in seen:
            seen.add((match.group(1), match.group(2)))
            name = os.path.relpath(os.path.join(common.ROOT, match.group(1)), common.ROOT)
            report.fail(name, int(match.group(2)), "run '%s -i %s'" % (tool, name))
    if out.returncode and not report.count:
        report.fail(tool, 0, out.stderr.decode(errors="replace").strip())
    return report.done()


common.run(main)
