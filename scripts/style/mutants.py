# SPDX-License-Identifier: MIT
"""Every mutant applies to the present sources, and the result compiles.

Arguments: the source root and a build directory, whose compile_commands.json says how.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile

import common

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import mutantlib  # noqa: E402


def commands(build):
    """(source relative to the root, arguments, folder) of everything below lib/."""
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as f:
        for entry in json.load(f):
            source = os.path.relpath(os.path.join(entry["directory"], entry["file"]), common.ROOT)
            if source.startswith("lib/"):
                yield source, shlex.split(entry["command"]), entry["directory"]


def concerned(files, source, arguments):
    """Must this compilation be tried for a mutant of these files?"""
    for file in files:
        folder, stem = os.path.dirname(file), os.path.splitext(os.path.basename(file))[0]
        if file.endswith(".c"):
            hit = source == file
        elif folder == "lib/strategy":
            hit = "-DPT_STRATEGY=" + stem in arguments
        elif folder == "arch":
            hit = "-DPT_FORMAT=" + stem in arguments
        else:
            hit = source == "lib/instance.c" or not source.startswith("lib/port/")
        if hit:
            return True
    return False


def moved(arguments, folder, tree):
    """The command line with sources and include paths below `tree`, checking syntax only."""
    result = []
    skip = False
    for argument in arguments:
        if skip:
            skip = False
            continue
        if argument in ("-o", "-MF", "-MQ", "-MT"):
            skip = True
            continue
        if argument in ("-c", "-MD", "-MMD") or argument.startswith("-W"):
            continue
        prefix = "-I" if argument.startswith("-I") else ""
        path = os.path.normpath(os.path.join(folder, argument[len(prefix):]))
        relative = os.path.relpath(path, common.ROOT)
        if (relative + "/").startswith(mutantlib.MUTABLE):
            argument = prefix + os.path.join(tree, relative)
        result.append(argument)
    return result + ["-fsyntax-only", "-w"]


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
        tried = set()
        for source, arguments, folder in known:
            if not concerned(files, source, arguments):
                continue
            line = moved(arguments, folder, tree)
            if tuple(line) in tried:
                continue
            tried.add(tuple(line))
            out = subprocess.run(line, cwd=folder, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
            if out.returncode:
                first = out.stderr.decode(errors="replace").strip().split("\n")[0]
                report.fail(name, 1, "does not compile: " + first.replace(tree + "/", ""))
                return
        if not tried:
            report.fail(name, 1, "nothing that is built uses %s" % ", ".join(sorted(files)))


def main(arguments):
    report = common.Report("mutants")
    known = list(commands(arguments[0]))
    for path in mutantlib.find(common.ROOT):
        report.looked += 1
        check(report, path, known)
    return report.done()


common.run(main)
