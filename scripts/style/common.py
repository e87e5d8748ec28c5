# SPDX-License-Identifier: MIT
"""What the checkers share: the list of files, C text without comments, and how to report."""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def set_root(path):
    global ROOT
    ROOT = os.path.abspath(path)


def files():
    """Every file of the project, relative to its root; works without git, too."""
    try:
        out = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        names = set(out.decode().split("\0")) - {""}
    except (OSError, subprocess.CalledProcessError):
        names = set()
        for top, dirs, here in os.walk(ROOT):
            rel = os.path.relpath(top, ROOT)
            dirs[:] = [d for d in dirs
                       if d not in (".git", "__pycache__", ".cache")
                       and not (rel == "." and d in ("build", "results"))]
            names.update(os.path.normpath(os.path.join(rel, name)) for name in here)
    return sorted(n for n in names if os.path.isfile(os.path.join(ROOT, n)))


def c_files(*folders):
    """C sources and headers below the given folders ('' for all)."""
    return [n for n in files()
            if n.endswith((".c", ".h")) and any(n.startswith(f) for f in folders)]


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8", errors="replace") as f:
        return f.read()


_TOKEN = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


def strip_comments(text, strings=True):
    """Blank out comments (and the inside of strings); line numbers and columns stay."""

    def blank(match):
        token = match.group(0)
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        if not strings:
            return token
        return token[0] + " " * (len(token) - 2) + token[-1]

    return _TOKEN.sub(blank, text)


class Report:
    """Collects findings; each names a place and what to do about it."""

    def __init__(self, what):
        self.what = what
        self.count = 0
        self.looked = 0

    def fail(self, name, line, message):
        self.count += 1
        place = "%s:%d" % (name, line) if line else name
        print("%s: %s" % (place, message))

    def done(self):
        if self.count:
            print("%s: %d finding(s)" % (self.what, self.count))
            return 1
        print("%s: fine (%d looked at)" % (self.what, self.looked))
        return 0


def run(main):
    """Entry point of a checker: `checker.py [source root] [more]`."""
    if len(sys.argv) > 1:
        set_root(sys.argv[1])
    sys.exit(main(sys.argv[2:]))
