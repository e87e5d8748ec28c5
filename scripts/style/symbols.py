# SPDX-License-Identifier: MIT
"""Names that leave the library's objects.

Arguments: the source root and the archive. Every global symbol begins with pt_ or port_, whether
hidden or not; what is not hidden is declared in the public header. The shared library's version script lists just the
functions that the header marks PT_API.
"""

import os
import re
import subprocess

import common

PREFIX = ("pt_", "port_")
HEADER = "lib/pagetree.h"
MAP = "lib/pagetree.map"


def compare_map(report, header):
    functions = set(re.findall(r"\bPT_API\b[^;(]*?\b(pt_\w+)\s*\(", header))
    mapped = set(re.findall(r"\b(pt_\w+);", common.strip_comments(common.read(MAP))))
    report.looked += len(mapped)
    for name in sorted(functions - mapped):
        report.fail(MAP, 0, "'%s' of %s is missing" % (name, HEADER))
    for name in sorted(mapped - functions):
        report.fail(MAP, 0, "'%s' is not in %s" % (name, HEADER))


def main(arguments):
    report = common.Report("symbols")
    header = common.strip_comments(common.read(HEADER))
    public = set(re.findall(r"\b(pt_\w+)", header))
    compare_map(report, header)
    for archive in arguments:
        out = subprocess.run(["objdump", "-t", archive], stdout=subprocess.PIPE, check=True)
        member = os.path.basename(archive)
        for line in out.stdout.decode().split("\n"):
            match = re.match(r"(\S+): +file format", line)
            if match:
                member = match.group(1)
                continue
            # address, seven flag columns, section, size, [visibility], name
            match = re.match(r"[0-9a-f]{8,} (.{7}) (\S+)\s+[0-9a-f]+ (?:(\.\w+) )?(\S+)$", line)
            if not match or match.group(2) == "*UND*" or match.group(1)[0] not in "gu!":
                continue
            visibility, name = match.group(3), match.group(4)
            report.looked += 1
            if not name.startswith(PREFIX):
                report.fail(member, 0, "global symbol '%s': make it static, or begin its name "
                            "with %s" % (name, " or ".join(PREFIX)))
            elif visibility is None and name not in public:
                report.fail(member, 0, "'%s' is exported but %s does not declare it: drop PT_API"
                            % (name, HEADER))
    return report.done()


common.run(main)
