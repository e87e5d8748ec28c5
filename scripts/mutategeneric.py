# SPDX-License-Identifier: MIT
"""Mutants made by rule, not by hand: every place of the library where a small change compiles.

    order    a memory order becomes relaxed
    drop     a statement that is a call or an assignment goes
    swap     two such statements that follow one another, not both plain, change places
    bound    a comparison or an offset is shifted by one
    negate   the condition of an `if` is negated

sites() lists all of them in a fixed order, sample() a share of each kind. A site is named by what
it changes, not by its line, so that the name lasts: stress/mutants/equivalent.txt says by these names
of which ones no test can know, and why:

    lib/pool.c pool_grow order memory_order_relaxed ... => ...
        the reason, indented
"""

import os
import random
import re

import mutantlib

EQUIVALENT = os.path.join(mutantlib.FOLDER, "equivalent.txt")
# The explorer's port is no part of what ships; what is declared needs no test; pt_check() judges.
EXCEPT = ("lib/port/model/", "lib/pagetree.h", "lib/check.h", "arch/contract.h")
SHARES = {"order": 0.4, "drop": 0.2, "swap": 0.1, "bound": 0.15, "negate": 0.15}
STATEMENT = re.compile(r"^(\t+)((?:\w[\w.>\-\[\]]*\(.*\))|(?:\*?\w[\w.>\-\[\]]* [-+|&]?= .*)|"
                       r"(?:\w[\w.>\-\[\]]*(?:\+\+|--)));$")
KEYWORDS = ("return", "if", "for", "while", "switch", "sizeof", "goto", "break", "do")
BOUNDS = [(" < ", " <= "), (" <= ", " < "), (" > ", " >= "), (" >= ", " > "), (" == ", " != "),
          (" != ", " == "), (" + 1", " + 0"), (" - 1", " - 0")]


class Site:
    """One change: line @at (and the next, for a swap) of @file becomes @after."""

    header = {}
    generic = True

    def __init__(self, file, function, at, kind, before, after):
        self.file, self.function, self.at = file, function, at
        self.kind, self.before, self.after = kind, before, after
        self.hunks = [mutantlib.Hunk(file, function, before, after, at)]
        self.key = "%s %s %s %s => %s" % (file, function, kind, _text(before), _text(after))
        self.name = "%s:%d %s" % (file, at + 1, kind)

    def apply(self, tree):
        path = os.path.join(tree, self.file)
        with open(path, encoding="utf-8") as f:
            lines = f.read().split("\n")
        lines[self.at:self.at + len(self.before)] = self.after
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))


def _text(lines):
    return " ".join(" ".join(line.split()) for line in lines)


def _code(lines):
    """The lines without comments, of the same number."""
    text = "\n".join(lines)
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text,
                  flags=re.DOTALL).split("\n")


def _bodies(code):
    """(function, first line, line behind the last) of each function body."""
    name = None
    for i, line in enumerate(code):
        match = re.match(r"^[A-Za-z_].*?(\w+)\(", line)
        if match and not line.startswith(("#", "struct ", "enum ", "typedef ")):
            name = match.group(1)
        elif match:
            name = re.match(r"^.*?(\w+)\(", line).group(1)
        if line == "{" and name:
            end = next((j for j in range(i, len(code)) if code[j].startswith("}")), i)
            yield name, i + 1, end


def _statement(line):
    match = STATEMENT.match(line.rstrip())
    if not match or match.group(2).split("(")[0].split(" ")[0] in KEYWORDS:
        return None
    text = match.group(2)
    return match.group(1) if text.count("(") == text.count(")") else None


def _calls(text):
    """Of two plain assignments the order hardly ever matters."""
    return re.search(r"\w\(", text)


def _of_line(code, at):
    """(kind, lines before, lines after) of all changes of line @at."""
    line = code[at].rstrip()
    for match in re.finditer(r"memory_order_(acquire|release|acq_rel)\b", line):
        yield "order", [line], [line[:match.start()] + "memory_order_relaxed" + line[match.end():]]
    indent = _statement(line)
    if indent:
        yield "drop", [line], [indent + ";"]
        below = code[at + 1].rstrip() if at + 1 < len(code) else ""
        alone = re.search(r"[;{}]$", code[at - 1].rstrip()) or not code[at - 1].strip()
        if alone and _statement(below) == indent and below != line and _calls(line + below):
            yield "swap", [line, below], [below, line]
    for old, new in BOUNDS:
        for match in re.finditer(re.escape(old) + r"(?![<>=])", line):
            if old in (" + 1", " - 1") and re.match(r"\w", line[match.end():]):
                continue
            yield "bound", [line], [line[:match.start()] + new + line[match.end():]]
    match = re.match(r"^(\t+(?:\} else )?if )\((.*)\)( \{)?$", line)
    if match and match.group(2).count("(") == match.group(2).count(")"):
        yield "negate", [line], ["%s(!(%s))%s" % (match.group(1), match.group(2),
                                                  match.group(3) or "")]


def _files(root):
    for folder in mutantlib.MUTABLE:
        for where, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                path = os.path.relpath(os.path.join(where, name), root)
                if path.endswith((".c", ".h")) and not path.startswith(EXCEPT):
                    yield path


def sites(root):
    """All sites; where the same change can be made twice in a function, the keys are numbered."""
    result, times = [], {}
    for file in sorted(_files(root)):
        with open(os.path.join(root, file), encoding="utf-8") as f:
            lines = f.read().split("\n")
        code = _code(lines)
        for function, first, end in _bodies(code):
            for at in range(first, end):
                for kind, before, after in _of_line(code, at):
                    site = Site(file, function, at, kind, before, after)
                    times[site.key] = times.get(site.key, 0) + 1
                    if times[site.key] > 1:
                        site.key += " #%d" % times[site.key]
                    result.append(site)
    return result


def sample(all_sites, number, seed):
    """About @number of them, of each kind its share."""
    chosen = []
    for kind, share in SHARES.items():
        some = [s for s in all_sites if s.kind == kind]
        some = random.Random("%d %s" % (seed, kind)).sample(some, min(len(some),
                                                                      round(number * share)))
        chosen += some
    return sorted(chosen, key=lambda s: (s.file, s.at, s.kind))


def equivalents(root, all_sites):
    """key -> reason. An entry without a reason, or of a place that is gone, is an error."""
    result, lines, key = {}, {}, None
    path = os.path.join(root, EQUIVALENT)
    if not os.path.isfile(path):
        return result
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            if line[0] not in " \t":
                key = line.strip()
                result[key], lines[key] = "", number
            elif key:
                result[key] = (result[key] + " " + line.strip()).strip()
    there = {s.key for s in all_sites}
    for key, reason in result.items():
        if key not in there:
            raise mutantlib.Error(EQUIVALENT, lines[key], "there is no such place: " + key)
        if not reason:
            raise mutantlib.Error(EQUIVALENT, lines[key], "no reason is given for: " + key)
    return result
