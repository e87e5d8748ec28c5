# SPDX-License-Identifier: MIT
"""Mutants: small bugs put into the library on purpose, to see that a test notices them.

A mutant is a text file stress/mutants/<name>.mutant:

    # SPDX-License-Identifier: MIT
    # bug: the covering node is used without looking at its stray flag again
    # origin: CortenMM, section 4.2
    file: lib/strategy/rcu.h
    function: strategy_lock_range
    --- anchor
        if (node_is_stray(node))
            goto again;
    +++ replacement
    === end

- Lines `# key: value` are the header: `bug` and `origin` are required, other keys are free (and
  handed to whoever runs mutants, e.g. `# strategy: rcu`). Continue a value on a line `#   more`.
- Then one or more hunks. `function: -` means anywhere in the file, for macros and declarations.
- The anchor must match exactly once inside the named function. Lines are compared whole, without
  regard to indentation and spacing, so that re-indenting code does not break mutants.
- An empty replacement deletes the anchor. Only files under lib/ and arch/ can be mutated.

Use:

    import mutantlib
    for path in mutantlib.find(root):
        mutant = mutantlib.parse(path)
        mutant.header["bug"]                 # what it breaks
        mutantlib.apply(mutant, tree)        # rewrite the files below `tree`, a copy of the sources

Both functions raise mutantlib.Error; its text begins with the place, `file:line:`.
Never apply a mutant to a checkout: copy() makes a tree to mutate.
"""

import os
import re
import shutil

FOLDER = os.path.join("stress", "mutants")
SUFFIX = ".mutant"
MUTABLE = ("lib/", "arch/")


class Error(Exception):
    """What is wrong with a mutant, and on which line of its file."""

    def __init__(self, path, line, what):
        super().__init__("%s:%d: %s" % (path, line, what))
        self.path, self.line, self.what = path, line, what


class Hunk:
    def __init__(self, file, function, anchor, replacement, line):
        self.file = file
        self.function = function
        self.anchor = anchor            # list of lines
        self.replacement = replacement  # list of lines
        self.line = line                # where the hunk begins in the mutant file


class Mutant:
    def __init__(self, name, path, header, hunks):
        self.name = name
        self.path = path
        self.header = header
        self.hunks = hunks

    def apply(self, tree):
        apply(self, tree)


def find(root):
    """Paths of all mutants of a source tree, sorted by name."""
    folder = os.path.join(root, FOLDER)
    if not os.path.isdir(folder):
        return []
    return [os.path.join(folder, n) for n in sorted(os.listdir(folder)) if n.endswith(SUFFIX)]


def parse(path):
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    header, hunks = {}, []
    fields, anchor, replacement = {}, None, None
    state, key, began = "head", None, 0

    def bad(number, message):
        raise Error(path, number, message)

    for number, line in enumerate(lines, 1):
        if state == "anchor" and line == "+++ replacement":
            state = "replacement"
        elif state == "replacement" and line == "=== end":
            if not any(s.strip() for s in anchor):
                bad(began, "the anchor is empty")
            hunks.append(Hunk(fields["file"], fields["function"], anchor, replacement, began))
            fields, state = {}, "head"
        elif state == "anchor":
            anchor.append(line)
        elif state == "replacement":
            replacement.append(line)
        elif line == "--- anchor":
            for need in ("file", "function"):
                if need not in fields:
                    bad(number, "'%s:' is missing before the anchor" % need)
            anchor, replacement, state, began = [], [], "anchor", number
        elif line.startswith("#"):
            match = re.match(r"# ([\w-]+): *(.*)$", line)
            if match:
                key = match.group(1)
                header[key] = match.group(2).strip()
            elif key and line[1:].startswith("  "):
                header[key] += " " + line[1:].strip()
        elif line.strip():
            match = re.match(r"(file|function): *(\S+)\s*$", line)
            if not match:
                bad(number, "expected '# key: value', 'file:', 'function:' or '--- anchor'")
            fields[match.group(1)] = match.group(2)
            if match.group(1) == "file" and (
                    not match.group(2).startswith(MUTABLE) or ".." in match.group(2)):
                bad(number, "only files under %s can be mutated" % " and ".join(MUTABLE))
    if state != "head":
        bad(len(lines), "the file ends inside a hunk; '=== end' is missing")
    if not hunks:
        bad(len(lines), "no hunk")
    for need in ("bug", "origin"):
        if not header.get(need):
            bad(1, "'# %s: ...' is missing" % need)
    return Mutant(os.path.basename(path)[:-len(SUFFIX)], path, header, hunks)


def _squash(line):
    return re.sub(r"\s+", " ", line.strip())


def _extent(text_lines, function):
    """First and last index of a function's definition (kernel layout), or None."""
    name = re.compile(r"\b%s\(" % re.escape(function))
    for i, line in enumerate(text_lines):
        # The name stands on a line that begins in column 0 and is not a comment or directive.
        if not name.search(line) or line[:1] in (" ", "\t", "#", "/", "*", ""):
            continue
        for j in range(i, len(text_lines)):
            if text_lines[j].startswith("{"):
                for k in range(j, len(text_lines)):
                    if text_lines[k].startswith("}"):
                        return i, k
                return None
            if text_lines[j].rstrip().endswith(";"):
                break  # a declaration
    return None


def _locate(lines, hunk, path):
    first, last = 0, len(lines) - 1
    if hunk.function != "-":
        extent = _extent(lines, hunk.function)
        if extent is None:
            raise Error(path, hunk.line, "%s has no function %s()" % (hunk.file, hunk.function))
        first, last = extent
    want = [_squash(a) for a in hunk.anchor]
    hits = [i for i in range(first, last - len(want) + 2)
            if all(_squash(lines[i + n]) == w for n, w in enumerate(want))]
    if len(hits) != 1:
        raise Error(path, hunk.line, "the anchor matches %d times in %s of %s, must be once"
                    % (len(hits), hunk.function, hunk.file))
    return hits[0]


def apply(mutant, tree):
    """Apply all hunks below `tree`. Nothing is written unless all of them fit."""
    result = {}
    for hunk in mutant.hunks:
        if hunk.file not in result:
            target = os.path.join(tree, hunk.file)
            if not os.path.isfile(target):
                raise Error(mutant.path, hunk.line, "there is no file %s" % hunk.file)
            with open(target, encoding="utf-8") as f:
                result[hunk.file] = f.read().split("\n")
        lines = result[hunk.file]
        at = _locate(lines, hunk, mutant.path)
        lines[at:at + len(hunk.anchor)] = hunk.replacement
    for name, lines in result.items():
        with open(os.path.join(tree, name), "w", encoding="utf-8") as f:
            f.write("\n".join(lines))


def copy(root, tree):
    """Copy what a mutant can change, so that it can be changed: lib/ and arch/."""
    for folder in filter(lambda f: os.path.isdir(os.path.join(root, f)), MUTABLE):
        shutil.copytree(os.path.join(root, folder), os.path.join(tree, folder),
                        dirs_exist_ok=True)
