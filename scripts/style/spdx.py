# SPDX-License-Identifier: MIT
"""Every text file that can carry a comment names its licence near the top."""

import os

import common

LINE = "SPDX-License-Identifier: MIT"
WITHIN = 5  # lines from the top: room for '#!' and an opening comment
# Files without comments, data, and documents.
EXEMPT_SUFFIX = (".md", ".json", ".zst", ".csv", ".svg", ".png", ".ptt", ".xml", ".txt", ".bin")
EXEMPT_NAME = ("LICENSE",)
NEVERTHELESS = ("meson_options.txt",)


def main(_):
    report = common.Report("spdx")
    for name in common.files():
        base = os.path.basename(name)
        exempt = base in EXEMPT_NAME or base.endswith(EXEMPT_SUFFIX)
        if exempt and base not in NEVERTHELESS:
            continue
        report.looked += 1
        if LINE not in "\n".join(common.read(name).split("\n")[:WITHIN]):
            report.fail(name, 1, "write '%s' in a comment within the first %d lines"
                        % (LINE, WITHIN))
    return report.done()


common.run(main)
