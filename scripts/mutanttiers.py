# SPDX-License-Identifier: MIT
"""The tiers of tests that may kill a mutant, cheapest first, and what each of them runs.

    unit      the unit tests, one by one
    model     the model test, cut short
    explore   `ptstress explore`, in each strategy that the mutant concerns
    weak      the same, and one load of an execution may read an older value: for memory orders
    stress    `ptstress run`, and tests with threads, cut short
    tsan      the same, under ThreadSanitizer

A kill counts only if the unchanged library passes the same command. No end in a time of which the
unchanged library needs less than a fifth is a kill, too, if it happens twice.
"""

import json
import os
import random
import re
import subprocess
import tempfile
import threading
import time

import mutantbuild
import mutantlib

TIERS = ["explore", "weak", "unit", "model", "stress", "tsan"]
EXPLORER = "stress/ptstress-explore"
PTSTRESS = "stress/ptstress"
VIOLATED = 2  # what programs that judge return, also when a sanitizer ends them
VIOLATION = re.compile(r"^violation of (\S+): (.*)$", re.MULTILINE)
WHERE = re.compile(r"^  strategy (\S+), scenario (\S+) \(.*\); found after (\d+) schedules?",
                   re.MULTILINE)
# Of the pairs that unit tests run on, enough: what is mutated is mostly the same text in all.
ENOUGH = ("instance_x86_64_rcu", "instance_toy_rcu")
INSTANCES = ("/libinstance_", "/libstress_x86_64_", "/libstress_toy_")
# Unit tests that have found most so far.
FIRST = ["walk", "map", "unmap", "cursor", "protect", "gather", "cursor_fill", "mark", "nomem",
         "pool", "stats", "frame", "items", "take", "clone", "role", "upkeep", "table"]
REPLAY = re.compile(r"^replay: ptstress (explore .*)$", re.MULTILINE)
COUNTEREXAMPLE = re.compile(r"^violation of .*?^replay: .*?$", re.MULTILINE | re.DOTALL)
SHORT = {"PT_SMOKE_MS": "150"}
# Short phases, so that each kind of them, each way to reclaim and each node lock has its turn.
# On a busy machine giving way takes long, and is no deadlock: hence a long time until one is said.
RUN = ["run", "--fail-fast", "--stutter", "1500", "--stall", "15s"]
RUNS = {
    "run": RUN + ["--strategy", "rcu", "--pages", "hot:4,hot:8", "--threads", "3",
                  "--duration", "1s", "--yield", "1/16"],
    "run-late": RUN + ["--strategy", "rcu,rwlock,mutex,bare", "--pages", "hot:8", "--threads", "2",
                       "--duration", "600ms", "--delay", "1/16:20us"],
}


class Result:
    def __init__(self, tier, killed, where="-", how="", seconds=0.0, schedules="-"):
        self.tier, self.killed, self.where, self.how = tier, killed, where, how
        self.seconds, self.schedules = seconds, schedules
        self.replay = self.counterexample = ""  # of the explorer


class Command:
    def __init__(self, name, target, arguments=(), env=None, timeout=60):
        self.name, self.target, self.arguments = name, target, list(arguments)
        self.env, self.timeout = env or {}, timeout

    def run(self, program):
        """Return: exit code (None: no end, twice), output, seconds."""
        began = time.monotonic()
        # The machine may have stood still: who does not end must not do so again, in twice the time.
        for timeout in self.timeout, 2 * self.timeout:
            try:
                done = mutantbuild.run([program] + self.arguments, timeout=timeout,
                                       env=dict(os.environ, **self.env),
                                       stdin=subprocess.DEVNULL)
                return done.returncode, done.stdout, time.monotonic() - began
            except subprocess.TimeoutExpired:
                pass
        return None, "", time.monotonic() - began


class Tier:
    """One kind of test, and the build directory that it runs in."""

    options = []

    def __init__(self, name, build_folder, options):
        self.name, self.run_options = name, options
        self.build = mutantbuild.Build(build_folder, [], self.options)
        self.known = {}  # what the unchanged library does: (passes, seconds)
        self.code = {}   # object -> what the unchanged one is made of
        self.lock = threading.Lock()
        self.prepare()

    def prepare(self):
        raise NotImplementedError

    def introspect(self, wanted):
        """The tests of the build that @wanted(suite, stem) accepts, with their programs built."""
        listing = mutantbuild.run(["meson", "introspect", "--tests", self.build.folder])
        result = []
        for test in json.loads(listing.stdout):
            target = os.path.relpath(test["cmd"][0], self.build.folder)
            suite = test["suite"][0].split(":")[-1]
            if target.startswith("tests/") and wanted(suite, test["name"]):
                result.append((test["name"], target, test["cmd"][1:], test["env"]))
        return result

    def built(self, commands):
        """Build what @commands run and know what it depends on."""
        targets = sorted({c.target for c in commands})
        self.build = mutantbuild.Build(self.build.folder, targets, self.options)
        return commands

    def passes_unchanged(self, command):
        with self.lock:
            if command.name not in self.known:
                code, _, seconds = command.run(os.path.join(self.build.folder, command.target))
                self.known[command.name] = (code == 0, seconds)
            return self.known[command.name]

    def verdict(self, command, code, output, seconds):
        """What a run of @command means."""
        if code == 0:
            return Result(self.name, False, how="survives", seconds=seconds)
        passes, usual = self.passes_unchanged(command)
        if not passes:
            return Result(self.name, False, command.name, "the unchanged library fails, too")
        if code is None:
            return Result(self.name, usual < command.timeout / 5, command.name,
                          "timeout: no end in %d s, usually %.1f s" % (command.timeout, usual),
                          seconds)
        if command.target == PTSTRESS and code != VIOLATED:
            return Result(self.name, False, command.name,
                          "found, but exit code %d instead of %d" % (code, VIOLATED), seconds)
        return Result(self.name, True, command.name, self.explain(code, output), seconds)

    @staticmethod
    def explain(code, output):
        if code < 0:
            return "signal %d" % -code
        for pattern in (r"WARNING: ThreadSanitizer: (.*?)(?: \(pid.*)?$", r"^not ok \d+ - (\S+)",
                        r"^(violation .*)$"):
            match = re.search(pattern, output, re.MULTILINE)
            if match:
                return match.group(1)
        return "exit %d" % code

    def judge(self, mutant, tree, strategies):
        """Run @mutant, applied in @tree, until something kills it. Return: a Result."""
        files = {h.file for h in mutant.hunks}
        used = [c for c in self.commands if self.build.objects(c.target, files)]
        if not used:
            return Result(self.name, False, how="not part of it")
        everywhere = any(h.function == "-" for h in mutant.hunks)
        private = mutantbuild.Private(self.build, tree, files,
                                      None if everywhere else self.enough)
        began = time.monotonic()
        for command in used:
            result = self.verdict(command, *command.run(private.program(command.target)))
            if result.killed or result.how != "survives":
                break
        result.seconds = time.monotonic() - began
        return result

    @staticmethod
    def enough(objects):
        instances = [o for o in objects if any(i in o for i in INSTANCES)]
        few = [o for o in instances if any(e in o for e in ENOUGH)]
        return [o for o in objects if o not in instances] + (few or instances)


class Unit(Tier):
    def prepare(self):
        tests = self.introspect(lambda suite, name: suite == "unit")
        tests.sort(key=lambda t: FIRST.index(t[0]) if t[0] in FIRST else len(FIRST))
        self.commands = self.built([Command(n, t, a, e, 30) for n, t, a, e in tests])


class Model(Tier):
    def prepare(self):
        self.commands = self.built([Command("model", "tests/test_model", ["1", "1000000"],
                                            {"CMOCKA_MESSAGE_OUTPUT": "TAP"}, 60)])


class Stress(Tier):
    runs = RUNS

    def prepare(self):
        tests = self.introspect(lambda suite, name: suite == "smoke" and "_ti" not in name)
        runs = [Command(name, PTSTRESS, line) for name, line in self.runs.items()]
        self.commands = self.built(runs + [Command(n, t, a, dict(e, **SHORT), 60)
                                           for n, t, a, e in tests])


class Tsan(Stress):
    options = ["-Db_sanitize=thread", "-Doptimization=1"]


class Explore(Tier):
    more = []

    def prepare(self):
        self.commands = self.built([Command("explore", EXPLORER)])
        listing = mutantbuild.must([os.path.join(self.build.folder, EXPLORER), "list"])
        self.strategies = re.findall(r"^strategy +(\S+)", listing, re.MULTILINE)

    def command(self, strategy):
        options = self.run_options
        line = ["explore", "--fail-fast", "--bound", str(options.bound), "--strategy", strategy]
        if not options.show:
            line.append("--quiet")
        if options.scenario:
            line += ["--scenario", options.scenario]
        if options.generate:
            line += ["--generate", options.generate]
        if options.search:
            line += ["--search", options.search]
        return Command(strategy, EXPLORER, line + self.more, timeout=300)

    def judge_strategy(self, program, strategy):
        command = self.command(strategy)
        code, output, seconds = command.run(program)
        result = self.verdict(command, code, output, seconds)
        violation, where = VIOLATION.search(output), WHERE.search(output)
        if violation:
            result.how = "%s: %s" % violation.group(1, 2)
        if where:
            result.where, result.schedules = where.group(2, 3)
        if code not in (0, VIOLATED, None):
            result.killed, result.how = False, "exit %d" % code
        elif violation:
            self.judge_replay(program, output, result)
        return result

    @staticmethod
    def judge_replay(program, output, result):
        """The line that the explorer prints must break the same program again."""
        line = REPLAY.search(output)
        result.counterexample = COUNTEREXAMPLE.search(output).group(0) if line else ""
        result.replay = line.group(0) if line else ""
        again = Command("replay", EXPLORER, line.group(1).split()) if line else None
        if not again or again.run(program)[0] != VIOLATED:
            result.killed, result.how = False, "does not break again: %s" % result.replay

    def compiled(self, objects):
        """The strategies that have an object of their own among these."""
        return {s for s in self.strategies if any("_%s.a" % s in o for o in objects)}

    def concerned(self, mutant, strategies, objects):
        """A generic one: rcu alone if it has the mutant, a part of compiling and running; else those that
        the mutant names, or one of them."""
        if getattr(mutant, "generic", False):
            compiled = self.compiled(objects)
            return ["rcu"] if not compiled or "rcu" in compiled else sorted(compiled)
        strategies = strategies or self.strategies
        if self.run_options.one_strategy:
            draw = random.Random("%d %s" % (self.run_options.seed, mutant.name))
            return [draw.choice(sorted(strategies))]
        return strategies

    def judge(self, mutant, tree, strategies):
        """Killed if each strategy that is concerned notices it; a generic mutant, if one does."""
        files = {h.file for h in mutant.hunks}
        objects = self.build.objects(EXPLORER, files)
        if not objects:
            return Result(self.name, False, how="not part of it")
        one_is_enough = getattr(mutant, "generic", False)
        strategies = self.concerned(mutant, strategies, objects)
        needless = self.compiled(objects) - set(strategies)

        def enough(names):
            return [o for o in names if not any("_%s.a" % s in o for s in needless)]

        began = time.monotonic()
        program = mutantbuild.Private(self.build, tree, files, enough).program(EXPLORER)
        worst = None
        for strategy in strategies:
            result = self.judge_strategy(program, strategy)
            if not result.killed:
                result.how += " in " + strategy
            if worst is None or not result.killed or one_is_enough:
                worst = result
            if result.killed == one_is_enough:
                break
        worst.seconds = time.monotonic() - began
        return worst


class Weak(Explore):
    more = ["--weak", "1"]


SHIPPED = ["-O2", "-g0", "-w"]  # no warnings: they differ with the optimisation


def makes_no_difference(tier, mutant, tree):
    """Is the optimised code of all objects the same? Then it is no mutant."""
    files = {h.file for h in mutant.hunks}
    build = tier.build
    targets = [EXPLORER] if tier.name == "explore" else [c.target for c in tier.commands]
    objects = sorted({o for t in targets for o in build.objects(t, files)})
    few = [o for o in objects if "_rcu.a" in o] or objects
    for name in few:
        mine = mutantbuild.Private(build, tree, files).compile(name, SHIPPED)
        if code_of(mine) != unchanged_code(tier, name, files):
            return False
    return True


def unchanged_code(tier, name, files):
    """code_of() object @name without a mutant, compiled once."""
    with tier.lock:
        if name not in tier.code:
            with tempfile.TemporaryDirectory(prefix="unchanged-") as plain:
                mutantlib.copy(mutantbuild.ROOT, plain)
                tier.code[name] = code_of(mutantbuild.Private(tier.build, plain, files).compile(
                    name, SHIPPED))
        return tier.code[name]


def code_of(path):
    """Disassembly without what depends on the file's name."""
    lines = mutantbuild.run(["objdump", "-dr", path]).stdout.split("\n")
    return [line for line in lines if "file format" not in line]


CLASSES = {"unit": Unit, "model": Model, "explore": Explore, "weak": Weak, "stress": Stress, "tsan": Tsan}


def make(name, options):
    folder = options.build
    if name == "tsan":
        folder = options.tsan_build or folder.rstrip("/") + "-tsan"
    return CLASSES[name](name, folder, options)
