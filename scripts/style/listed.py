# SPDX-License-Identifier: MIT
"""Every C source is named in the meson.build of its folder, or of one above."""

import os
import re

import common


def main(_):
    report = common.Report("listed")
    names = set()
    for build in common.files():
        if os.path.basename(build) == "meson.build":
            folder = os.path.dirname(build)
            names.update(os.path.normpath(os.path.join(folder, n))
                         for n in re.findall(r"'([\w./-]+\.c)'", common.read(build)))
    for name in common.c_files(""):
        if name.endswith(".c"):
            report.looked += 1
            if name not in names:
                report.fail(name, 1, "is built by nothing: add it to the list in meson.build")
    return report.done()


common.run(main)
