# SPDX-License-Identifier: MIT
"""Only lib/port touches the system: no liburcu, allocator, pthread, thread-local or mutable
file-scope data anywhere else in lib/.

Arguments: the source root, then, optionally, archives of lib/; nm must find no writable data in
their members, those of the port (port_*.o) aside.
"""

import os
import re
import subprocess

import common

CALLS = re.compile(
    r"(?<![.>\w])((?:malloc|calloc|realloc|free|aligned_alloc|posix_memalign|memalign|mmap|munmap|madvise"
    r"|mprotect|sbrk|syscall|sched_yield|usleep|nanosleep|abort|exit|printf|fprintf|assert"
    r"|thrd_\w+|mtx_\w+|tss_\w+|pthread_\w+|urcu_\w+|cds_\w+|cmm_\w+|uatomic_\w+"
    r"|call_rcu|synchronize_rcu|rcu_(?:read_\w+|register_\w+|unregister_\w+|quiescent_state"
    r"|thread_\w+|dereference\w*|\w+_pointer|barrier|init|exit|defer\w*))\s*\()")
WORDS = re.compile(r"\b(_Thread_local|__thread|thread_local)\b")
# Data at file scope: starts in column 0, is no type, function, or const.
DATA = re.compile(
    r"^(?!typedef|struct \w+ *\{|union \w+ *\{|enum|extern|return|#|\})"
    r"(?:static |_Atomic |volatile |struct \w+ |unsigned |uint\w+_t |int |long |bool |char |void |\*)+"
    r"(?P<name>\w+)(?:\[[^\]]*\])*\s*(?:=|;)", re.MULTILINE)
SYMBOL = re.compile(r"^(?:[0-9a-f]+ )?\s*([bBdDCsSgG]) (\S+)$")


def sources(report):
    for name in common.c_files("lib/"):
        if name.startswith("lib/port/"):
            continue
        report.looked += 1
        text = common.strip_comments(common.read(name))
        for expression, message in (
                (CALLS, "'%s' belongs into lib/port: call the port instead"),
                (WORDS, "'%s': per-thread data goes through the port's handle"),
                (DATA, "'%s': no mutable file-scope data; put it into the table, pool or thread")):
            for match in expression.finditer(text):
                what = match.groupdict().get("name") or match.group(1)
                if expression is DATA and re.search(r"\bconst\b", match.group(0)):
                    continue
                report.fail(name, text.count("\n", 0, match.start()) + 1,
                            message % what.rstrip("( "))


def objects(report, paths):
    for path in paths:
        out = subprocess.run(["nm", "-A", path], stdout=subprocess.PIPE, check=True)
        for line in out.stdout.decode().split("\n"):
            where, _, rest = line.rpartition(":")
            match = SYMBOL.match(rest.strip())
            if not match or os.path.basename(where).split(":")[-1].startswith("port_"):
                continue
            # nm calls relocated constants data: const tables of pointers are fine.
            if match.group(2) in constant(path):
                continue
            report.fail(os.path.basename(where), 0, "'%s' is writable data (nm type %s); put it "
                        "into the table, pool or thread, or make it const" %
                        (match.group(2), match.group(1)))
        report.looked += 1


def constant(path, cache={}):
    """Symbols in .data.rel.ro: const, but filled in by relocations."""
    if path not in cache:
        out = subprocess.run(["objdump", "-t", path], stdout=subprocess.PIPE, check=True)
        cache[path] = {line.split()[-1] for line in out.stdout.decode().split("\n")
                       if ".data.rel.ro" in line}
    return cache[path]


def main(arguments):
    report = common.Report("port")
    sources(report)
    objects(report, arguments)
    return report.done()


common.run(main)
