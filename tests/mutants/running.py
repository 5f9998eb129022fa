"""The tests against the mistakes: each mistake in a forked child of a process that has everything imported.

First every test is run once, in a child as well, to see which lines it reaches. Then the
child that makes a mistake swaps the code of the functions as they are, so that everybody
who has imported them has the mistake, and runs the tests that reach it: those first that
have found something in the same function, then the fastest ones. The first that fails
ends it.
"""

from __future__ import annotations

import ast
import gc
import importlib
import itertools
import json
import mmap
import os
import resource
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FunctionType

import coverage
import pytest

from .changes import Mutant, labelled, mutants_of
from .record import keep, recorded, unexplained

__all__ = ("Runner",)

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "flet_asp_actors"
KEPT = ROOT / "build" / "mutants"
SECONDS = 12.0
"""How long the tests of one mistake may take in all; the slowest are left out past that."""
SECONDS_AGAIN = 120.0
"""The same for one that no test has found the last time: it may be that the one that does came too late."""
MEMORY = 6_000_000_000


class Runner:
    """A plugin that runs the tests in its own way.

    Args:
        modules: In which mistakes are made: "core.turn".
        again: Whether only those are made that nobody has found the last time, nor explained.
    """

    def __init__(self, modules: list[str], *, again: bool) -> None:
        self.modules = modules
        self.again = again
        self.tests: dict[str, pytest.Item] = {}
        self.seconds: dict[str, float] = {}
        self.finders: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.good_files: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.failing: set[str] | None = None  # collected while it is measured: those are no help
        self.current = mmap.mmap(-1, 4)  # the number of the test that a child runs

    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings  # not before pytest, which prepares it

        phases = [Phase.explicit, Phase.generate]  # that it fails is enough
        settings.register_profile("mutants", database=None, derandomize=True, phases=phases)
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.tests = {item.nodeid: item for item in session.items}
        for module in self.modules:
            importlib.import_module(f"{PACKAGE.name}.{module}")
        functions = [each for each in gc.get_objects() if isinstance(each, FunctionType)]
        gc.collect()
        gc.freeze()
        reached = self.measured()
        for module in self.modules:
            path = PACKAGE.joinpath(*module.split(".")).with_suffix(".py")
            live = [each for each in functions if each.__code__.co_filename == str(path)]
            lines = reached.contexts_by_lineno(str(path))
            tree = ast.parse(path.read_text(encoding="utf-8"))
            before = recorded()["modules"][module]["survivors"] if self.again else ()
            explained = {label for label in before if f"{module}.{label}" not in unexplained()}
            found: dict[str, str | None] = dict.fromkeys(explained)
            for label, mutant in labelled(mutants_of(tree)):
                if label not in explained and (not self.again or label in before):
                    tests = {test for line in mutant.lines for test in lines.get(line, ()) if test in self.tests}
                    order = self.in_order(module, f"{module}.{mutant.function}", tests)
                    found[label] = test = self.try_out(mutant, tree, path, live, order) if order else None
                    if test is not None:
                        self.finders[f"{module}.{mutant.function}"][test] += 1
                        self.good_files[module][_file(test)] += 1
                    print(f"{module}.{label}: {test or 'SURVIVED'}", flush=True)
            keep(module, found, is_all=not self.again)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            if self.failing is None:
                os._exit(1)
            self.failing.add(report.nodeid)

    def measured(self) -> coverage.CoverageData:
        """Which tests reach which lines. What was measured before is kept, as long as the package is as it was."""
        KEPT.mkdir(parents=True, exist_ok=True)
        data, times = KEPT / "reached", KEPT / "seconds.json"
        if data.exists() and data.stat().st_mtime < max(path.stat().st_mtime for path in PACKAGE.rglob("*.py")):
            data.unlink()
            times.unlink(missing_ok=True)  # it is not there if the last run was ended meanwhile
        if times.exists():
            self.seconds = json.loads(times.read_text())
        new = [test for name, test in self.tests.items() if name not in self.seconds]
        if new:
            self.measure(new, data, times)
        self.seconds = json.loads(times.read_text())
        reached = coverage.CoverageData(str(data))
        reached.read()
        return reached

    def measure(self, new: list[pytest.Item], data: Path, times: Path) -> None:
        """Run tests in a child, with coverage; what they reach is added to `data`."""
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        be_quiet()
        self.failing = set()
        reached = coverage.Coverage(data, include=[f"{PACKAGE}/*"], config_file=False)
        if data.exists():
            reached.load()
        reached.start()
        before = time.process_time()
        for test in self.run(new, lambda test: reached.switch_context(test.nodeid)):
            now = time.process_time()
            self.seconds[test.nodeid], before = now - before, now
        reached.stop()
        reached.save()
        self.seconds.update(dict.fromkeys(self.failing, 1000.0))  # longer than any test may take
        times.write_text(json.dumps(self.seconds))
        os._exit(0)

    @staticmethod
    def run(tests: list[pytest.Item], before: Callable[[pytest.Item], object]) -> Iterator[pytest.Item]:
        """Run tests one after another."""
        for test, after in zip(tests, [*tests[1:], None], strict=True):
            before(test)
            test.config.hook.pytest_runtest_protocol(item=test, nextitem=after)
            yield test

    def in_order(self, module: str, function: str, tests: set[str]) -> list[pytest.Item]:
        """The tests that are worth their time, those first that have found something in the function.

        Then one of each file after the other, and more of those that have found much in the module.
        """
        finders, good_files = self.finders[function], self.good_files[module]
        ranks, files = dict[str, float](), Counter[str]()
        for name in sorted(tests, key=self.seconds.__getitem__):
            ranks[name] = files[_file(name)] / (1 + good_files[_file(name)])
            files[_file(name)] += 1
        left, chosen = SECONDS_AGAIN if self.again else SECONDS, list[pytest.Item]()
        for name in sorted(tests, key=lambda name: (-finders[name], ranks[name])):
            if self.seconds[name] < left:
                left -= self.seconds[name]
                chosen.append(self.tests[name])
        return chosen

    def try_out(
        self, mutant: Mutant, tree: ast.Module, path: Path, live: list[FunctionType], tests: list[pytest.Item]
    ) -> str | None:
        """Make a mistake in a child, and return which test has found it."""
        child = os.fork()
        if child == 0:
            try:
                self.be_mistaken(mutant, tree, path, live)
                numbers = itertools.count()
                for _ in self.run(tests, lambda test: self.limit(next(numbers), test.nodeid)):
                    pass
            except BaseException:
                os._exit(1)
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        return tests[int.from_bytes(self.current[:4], "big")].nodeid if status else None

    def limit(self, number: int, name: str) -> None:
        """Note which test runs, and have the system end this process if it never ends."""
        self.current[:4] = number.to_bytes(4, "big")
        signal.setitimer(signal.ITIMER_PROF, 3 + 5 * self.seconds[name])
        signal.setitimer(signal.ITIMER_REAL, 15 + 10 * self.seconds[name])

    def be_mistaken(self, mutant: Mutant, tree: ast.Module, path: Path, live: list[FunctionType]) -> None:
        """Have the functions of a module do what they do with the mistake in them."""
        be_quiet()
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.current[:4] = bytes(4)
        mutant.apply()
        codes = {_place(code): code for code in _codes(compile(tree, str(path), "exec", dont_inherit=True))}
        for function in live:
            if (code := codes.get(_place(function.__code__))) is not None:
                function.__code__ = code


def be_quiet() -> None:
    """Let nobody hear what the tests print."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _file(test: str) -> str:
    return test.split("::")[0]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _codes(each)


def _place(code: CodeType) -> tuple[object, ...]:
    # Pytest rewrites the asserts of the package, as it is a plugin, and adds variables of its own.
    names = [name for name in code.co_varnames if not name.startswith("@py")]
    return code.co_name, code.co_firstlineno, code.co_freevars, *names
