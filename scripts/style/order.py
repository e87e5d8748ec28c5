# SPDX-License-Identifier: MIT
"""Every ordered atomic access in lib/ names the edge it is one side of.

- An access with an order above relaxed carries a tag [ORD-name] on its own lines or in the comment
  directly above. Directly above ends at an empty line, at another ordered access, or after
  ABOVE lines.
- Each tag stands on both sides: at least one access that releases and one that acquires.
- Each tag is listed in the table of ordering edges, the comment with these two words at the head
  of lib/access.h, and nothing is listed there that no access carries.
- Implicit seq_cst and stand-alone fences are forbidden.
"""

import re

import common

ABOVE = 6
TABLE_FILE = "lib/access.h"
TABLE = re.compile(r"ordering edges", re.IGNORECASE)
TAG = re.compile(r"\[(ORD-[\w-]+)\]")
ORDER = re.compile(r"\b(?:memory_order_|__ATOMIC_)(acquire|release|acq_rel|seq_cst|consume)\b",
                   re.IGNORECASE)
IMPLICIT = re.compile(
    r"\batomic_(?:load|store|exchange|compare_exchange|fetch|flag)(?!\w*_explicit\b)\w*\s*\(")
FORBIDDEN = re.compile(r"\b(atomic_thread_fence|atomic_signal_fence|__atomic_thread_fence|"
                       r"__atomic_signal_fence|__sync_\w+)\s*\(")
# The explorer's own run time is not code under test.
EXEMPT = ("lib/port/model/",)


class Access:
    def __init__(self, name, first, last, call):
        self.name, self.first, self.last, self.call = name, first, last, call
        self.orders = set()

    def sides(self):
        both = {"acquire", "release"}
        result = set()
        for order in self.orders:
            if order in ("acquire", "consume"):
                result.add("acquire")
            elif order == "release":
                result.add("release")
            elif "load" in self.call:
                result.add("acquire")
            elif "store" in self.call:
                result.add("release")
            else:
                result |= both
        return result


def enclosing_call(code, at):
    """Offsets of the innermost call around `at`, and its name."""
    depth, i = 0, at
    while i > 0:
        i -= 1
        if code[i] == ")":
            depth += 1
        elif code[i] == "(":
            if depth == 0:
                break
            depth -= 1
        elif code[i] in ";{}" and depth == 0:
            return at, at, ""
    name = re.search(r"(\w+)\s*$", code[:i])
    if not name:
        return at, at, ""
    depth, j = 0, i
    while j < len(code):
        depth += {"(": 1, ")": -1}.get(code[j], 0)
        if depth == 0:
            break
        j += 1
    return name.start(), j, name.group(1)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def accesses(name, code):
    found = {}
    for match in ORDER.finditer(code):
        start, end, call = enclosing_call(code, match.start())
        access = found.setdefault(start, Access(name, line_of(code, start), line_of(code, end),
                                                call))
        access.orders.add(match.group(1).lower())
    return [found[k] for k in sorted(found)]


def tags_of(access, lines, ordered_lines, table):
    """Tags on the access's own lines, else those of the comment directly above."""
    def on(number):
        return TAG.findall(lines[number - 1]) if number not in table else []

    tags = [t for n in range(access.first, access.last + 1) for t in on(n)]
    if tags:
        return tags
    for n in range(access.first - 1, max(0, access.first - 1 - ABOVE), -1):
        if not lines[n - 1].strip() or n in ordered_lines:
            break
        tags += on(n)
    return tags


def read_table(report):
    """Tags of the table, and the lines it occupies."""
    try:
        text = common.read(TABLE_FILE)
    except OSError:
        report.fail(TABLE_FILE, 1, "does not exist; it holds the table of ordering edges")
        return {}, set()
    for comment in re.finditer(r"/\*.*?\*/", text, re.DOTALL):
        if TABLE.search(comment.group(0)) and TAG.search(comment.group(0)):
            first = line_of(text, comment.start())
            listed = {}
            for n, line in enumerate(comment.group(0).split("\n")):
                for tag in TAG.findall(line):
                    listed.setdefault(tag, first + n)
            return listed, set(range(first, first + comment.group(0).count("\n") + 1))
    report.fail(TABLE_FILE, 1, "no comment headed 'ordering edges' lists [ORD-...] tags")
    return {}, set()


def main(_):
    report = common.Report("order")
    listed, table_lines = read_table(report)
    used = {}  # tag -> [(access, sides)]
    for name in common.c_files("lib/"):
        if name.startswith(EXEMPT):
            continue
        text = common.read(name)
        code = common.strip_comments(text)
        lines = text.split("\n")
        for match in FORBIDDEN.finditer(code):
            report.fail(name, line_of(code, match.start()), "no stand-alone fences: put the order "
                        "on the access (checkers do not model fences)")
        for match in IMPLICIT.finditer(code):
            report.fail(name, line_of(code, match.start()), "implicit seq_cst: use the _explicit "
                        "form and name the order")
        found = accesses(name, code)
        table = table_lines if name == TABLE_FILE else set()
        for access in found:
            report.looked += 1
            others = {n for o in found if o is not access for n in range(o.first, o.last + 1)}
            tags = tags_of(access, lines, others, table)
            if not tags:
                report.fail(name, access.first, "%s(%s) has no [ORD-name] tag: write which edge "
                            "this is one side of" % (access.call, ", ".join(sorted(access.orders))))
            for tag in tags:
                used.setdefault(tag, []).append(access)
    for tag, where in sorted(used.items()):
        sides = set().union(*(a.sides() for a in where))
        for side in sorted({"acquire", "release"} - sides):
            report.fail(where[0].name, where[0].first,
                        "[%s] has no access that %ss: tag the other side" % (tag, side))
        if listed and tag not in listed:
            report.fail(where[0].name, where[0].first,
                        "[%s] is not in the table at the head of %s" % (tag, TABLE_FILE))
    for tag, line in sorted(listed.items()):
        if tag not in used:
            report.fail(TABLE_FILE, line, "[%s] is listed but no access carries it" % tag)
    return report.done()


common.run(main)
