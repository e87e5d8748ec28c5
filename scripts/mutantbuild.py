# SPDX-License-Identifier: MIT
"""Programs with a mutant in them: compile what the mutant changed, link it with the rest.

    build = mutantbuild.Build(folder)           # a build directory, made and built if need be
    private = mutantbuild.Private(build, tree, files)
    program = private.program("tests/test_map") # raises Broken

`tree` is a copy of lib/ and arch/ (mutantlib.copy()) in which `files` were changed. Objects that
depend on none of these files are taken from the build directory.
"""

import json
import os
import re
import shlex
import subprocess
import sys

import mutantlib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# A mutant is compiled, run once and forgotten.
QUICK = ["-O1", "-g0", "-fdiagnostics-color=never", "-Wno-error"]


class Broken(Exception):
    """The mutant does not compile or link, or the program has nothing of it."""


class Failed(Exception):
    """The unchanged library does not build."""


def run(line, **more):
    return subprocess.run(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", **more)


def must(line, **more):
    done = run(line, **more)
    if done.returncode:
        raise Failed("%s\nmutants: failed: %s" % (done.stdout, " ".join(line)))
    return done.stdout


def first_error(output):
    lines = output.strip().split("\n")
    return next((line for line in lines if "error:" in line), lines[0])


class Build:
    """How the programs of a build directory are made."""

    def __init__(self, folder, targets, options=()):
        self.folder = os.path.abspath(folder)
        if not os.path.isfile(os.path.join(self.folder, "build.ninja")):
            must(["meson", "setup", self.folder, ROOT] + list(options))
        if targets:
            print("# building in %s" % os.path.relpath(self.folder), file=sys.stderr, flush=True)
            must(["ninja", "-C", self.folder] + list(targets))
        self.compilations = {}  # object -> command line
        with open(os.path.join(self.folder, "compile_commands.json"), encoding="utf-8") as f:
            for entry in json.load(f):
                # ccache would only be asked for what it cannot know.
                line = [a for a in shlex.split(entry["command"]) if os.path.basename(a) != "ccache"]
                self.compilations[line[line.index("-o") + 1]] = line
        self.uses = self._dependencies()
        self._links = {}

    def _dependencies(self):
        """object -> files of the project it is made from"""
        uses, current = {}, None
        for line in must(["ninja", "-C", self.folder, "-t", "deps"]).split("\n"):
            match = re.match(r"(\S+): #deps", line)
            if match:
                current = match.group(1)
                if current in self.compilations:
                    uses[current] = set()
            elif current in uses and line.strip():
                path = os.path.join(self.folder, line.strip())
                uses[current].add(os.path.relpath(os.path.realpath(path), ROOT))
        return uses

    def _members(self, archive):
        """The objects an archive is made from: it need not say where they lie."""
        query = must(["ninja", "-C", self.folder, "-t", "query", archive])
        return re.findall(r"^    (\S+\.o)$", query.split("  outputs:")[0], re.MULTILINE)

    def link_line(self, target):
        """How @target is linked, with archives of the build taken apart into their objects."""
        if target not in self._links:
            commands = must(["ninja", "-C", self.folder, "-t", "commands", target])
            line = []
            for argument in shlex.split(commands.strip().split("\n")[-1]):
                if argument.endswith(".a") and not os.path.isabs(argument):
                    line += self._members(argument)
                else:
                    line.append(argument)
            self._links[target] = line
        return self._links[target]

    def objects(self, target, files):
        """The objects of @target that are made from one of @files."""
        return [a for a in self.link_line(target) if self.uses.get(a, set()) & files]


class Private:
    """The programs of one mutant."""

    def __init__(self, build, tree, files, enough=None):
        self.build, self.tree, self.files = build, tree, files
        self.enough = enough  # of these objects, which to compile anew
        self.made = {}        # object -> its mutant

    def _relocate(self, argument):
        """A path or -I option with what is below lib/ and arch/ taken from the tree."""
        prefix = "-I" if argument.startswith("-I") else ""
        if argument.startswith("-") and not prefix:
            return argument
        path = os.path.normpath(os.path.join(self.build.folder, argument[len(prefix):]))
        relative = os.path.relpath(os.path.realpath(path), ROOT)
        if (relative + "/").startswith(mutantlib.MUTABLE):
            return prefix + os.path.join(self.tree, relative)
        return argument

    def compile(self, name, quick=None):
        if name in self.made:
            return self.made[name]
        line = [self._relocate(a) for a in self.build.compilations[name]]
        line += QUICK if quick is None else quick
        made = os.path.join(self.tree, "%s-%d.o" % (
            os.path.basename(self.build.folder), len(self.made)))
        line[line.index("-o") + 1] = made
        line[line.index("-MF") + 1] = made + ".d"
        done = run(line, cwd=self.build.folder)
        if done.returncode:
            raise Broken("does not compile: " +
                         first_error(done.stdout).replace(self.tree + "/", ""))
        self.made[name] = made
        return made

    def program(self, target):
        """Link @target with the mutant. Return: its path."""
        changed = self.build.objects(target, self.files)
        if self.enough:
            changed = self.enough(changed)
        if not changed:
            raise Broken("%s does not use %s" % (target, ", ".join(sorted(self.files))))
        changed = {name: self.compile(name) for name in changed}
        path = os.path.join(self.tree, os.path.basename(self.build.folder) + "-" +
                            os.path.basename(target))
        line = [changed.get(a, a) for a in self.build.link_line(target)]
        line[line.index("-o") + 1] = path
        done = run(line, cwd=self.build.folder)
        if done.returncode:
            raise Broken("does not link: " + done.stdout.strip().split("\n")[-1])
        return path
