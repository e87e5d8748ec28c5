# SPDX-License-Identifier: MIT
"""Every mutant applies to the present sources, and the result compiles as scripts/mutants will;
each number of the list of known bugs has a mutant, or a reason why not; each explanation of a
generic mutant still has its place.

Arguments: the source root and a build directory, whose compile_commands.json says how.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

import common

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import mutategeneric  # noqa: E402
import mutantlib  # noqa: E402

LIST = os.path.join(mutantlib.FOLDER, "README.md")
KNOWN_BUGS = range(1, 47)
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]*)\|$")


def includes(arguments, folder):
    """What a compilation reads, relative to the root."""
    out = subprocess.run(checking(arguments) + ["-M"], cwd=folder, stdout=subprocess.PIPE, text=True,
                         check=True)
    names = out.stdout.replace("\\\n", " ").split()[1:]
    return {os.path.relpath(os.path.join(folder, name), common.ROOT) for name in names}


def commands(build):
    """(files it reads, arguments, folder) of every compilation of the library for the explorer."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        for entry in json.load(f):
            arguments = shlex.split(entry["command"])
            source = os.path.relpath(os.path.join(entry["directory"], entry["file"]), common.ROOT)
            if "-DPT_MODEL" in arguments and source.startswith("lib/"):
                yield includes(arguments, entry["directory"]), arguments, entry["directory"]


def checking(arguments):
    """The command line without what it writes and what it warns of."""
    result = []
    skip = False
    for argument in arguments:
        if not skip and argument not in ("-c", "-MD", "-MMD") and not argument.startswith("-W"):
            skip = argument in ("-o", "-MF", "-MQ", "-MT")
            if not skip:
                result.append(argument)
        else:
            skip = False
    return result


def moved(arguments, folder, tree):
    """The command line with sources and include paths below `tree`, checking syntax only."""
    result = []
    for argument in checking(arguments):
        prefix = "-I" if argument.startswith("-I") else ""
        path = os.path.normpath(os.path.join(folder, argument[len(prefix):]))
        relative = os.path.relpath(path, common.ROOT)
        if (relative + "/").startswith(mutantlib.MUTABLE):
            argument = prefix + os.path.join(tree, relative)
        result.append(argument)
    return result + ["-fsyntax-only", "-w", "-fdiagnostics-color=never"]


def meant(users, mutant):
    """Of compilations that use a file, the strategy's that the mutant names first, or rcu's; else all."""
    strategy = mutant.header.get("strategy", "rcu").split(",")[0]
    return [u for u in users if "-DPT_STRATEGY=" + strategy in u[1]] or users


def check(report, path, known):
    name = os.path.relpath(path, common.ROOT)
    with tempfile.TemporaryDirectory() as tree:
        mutantlib.copy(common.ROOT, tree)
        try:
            mutant = mutantlib.parse(path)
            mutantlib.apply(mutant, tree)
        except mutantlib.Error as error:
            report.fail(name, error.line, error.what)
            return
        files = {hunk.file for hunk in mutant.hunks}
        users = [k for k in known if files & k[0]]
        if not users:
            report.fail(name, 1, "the explorer does not use %s" % ", ".join(sorted(files)))
        for _, arguments, folder in meant(users, mutant):
            line = moved(arguments, folder, tree)
            out = subprocess.run(line, cwd=folder, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
            if out.returncode:
                lines = out.stderr.decode(errors="replace").strip().split("\n")
                first = next((line for line in lines if "error:" in line), lines[0])
                report.fail(name, 1, "does not compile: " + first.replace(tree + "/", ""))
                return


def check_list(report):
    """The table of known bugs, each with its mutants or why there is none."""
    if not os.path.isfile(os.path.join(common.ROOT, LIST)):
        return
    there = {os.path.basename(p)[:-len(mutantlib.SUFFIX)] for p in mutantlib.find(common.ROOT)}
    seen, named = set(), set()
    for at, line in enumerate(common.read(LIST).split("\n"), 1):
        row = ROW.match(line)
        if not row:
            continue
        seen.add(int(row.group(1)))
        mutants = re.findall(r"`([^`]+)`", row.group(2))
        named.update(mutants)
        if not mutants and not row.group(3).strip():
            report.fail(LIST, at, "bug %s has neither a mutant nor a reason" % row.group(1))
        for name in sorted(set(mutants) - there):
            report.fail(LIST, at, "there is no mutant %s" % name)
    for number in sorted(set(KNOWN_BUGS) - seen):
        report.fail(LIST, 0, "bug %d is missing" % number)
    for name in sorted(there - named):
        if name.split("-")[0] in map(str, KNOWN_BUGS) or name[:1] == "0":
            report.fail(LIST, 0, "mutant %s is missing" % name)


def check_equivalents(report):
    try:
        mutategeneric.equivalents(common.ROOT, mutategeneric.sites(common.ROOT))
    except mutantlib.Error as error:
        report.fail(error.path, error.line, error.what)


def main(arguments):
    report = common.Report("mutants")
    known = list(commands(arguments[0]))
    for path in mutantlib.find(common.ROOT):
        report.looked += 1
        check(report, path, known)
    check_list(report)
    check_equivalents(report)
    return report.done()


common.run(main)
