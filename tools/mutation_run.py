"""Change the package in one place at a time, and list the changes that no test notices.

``python tools/mutation_run.py --minutes 40`` first runs each test once, in a
process of its own kind, to see which functions it calls and how long it takes.
It then draws changes at random (see ``tools/mutate.py``) and runs for each the
tests that call the changed function, shortest first. Every change has a process
of its own, forked from one that has imported the package and collected the
tests, in which the function's code is replaced. Tests that start Python
processes, kernels that Numba compiles and what happens while modules are
imported are out of its sight.

``--again mutants.jsonl`` judges the changes that survived there once more, by all
the tests that call them.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import math
import os
import random
import resource
import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, Final

import pytest

from mutate import Mutant, mutants_of

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "src" / "cardioflow"
FOLDERS: Final = ("batch", "pipeline", "models", "transforms")
TESTS: Final = ("batch", "pipeline", "models", "transforms", "bundle", "metrics", "contracts/test_models.py")
# They start processes, or are so slow that no change would be judged by them.
LEFT_OUT: Final = ("models/test_backends.py", "pipeline/test_processes.py")
MAX_SECONDS: Final = 6.0
"""Of tests per change; a function that more tests call is judged by the shortest of them."""
VERDICTS: Final = {0: "survived", 3: "not applied", 9: "out of time", -signal.SIGXCPU: "caught by time"}
"""By exit code; any other code is "caught". "Out of time" is a wall clock's verdict, so it judges no test."""
WALL_FACTOR: Final = 10
"""A process waits for others that need the machine: its limit of wall time is this many times that of CPU time."""
_MAX_TEST_SECONDS: Final = 60
_BLOCK: Final = 40


class Failures:
    """Notes which tests fail."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self.names.add(report.nodeid)


class Loop:
    """Takes the place of pytest's loop over the collected tests."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        trace = self._trace(session.items)
        print(f"{len(trace['seconds'])} of {len(session.items)} tests traced, {len(trace['calls'])} functions called")
        self._mutate({item.nodeid: item for item in session.items}, trace)
        return True

    def _trace(self, items: Sequence[pytest.Item]) -> dict[str, Any]:
        """Return the tests that call each function, and the seconds that each test takes; failing ones are left out."""
        path: Path = self.given.trace
        if path.exists():
            return dict(json.loads(path.read_text(encoding="utf-8")))
        calls: dict[str, list[str]] = defaultdict(list)
        seconds: dict[str, float] = {}
        for start in range(0, len(items), _BLOCK):
            part = path.with_suffix(f".{start}")
            block = items[start : start + _BLOCK]
            if in_child(partial(_traced, block, part), _BLOCK * _MAX_TEST_SECONDS) == 0:
                found = json.loads(part.read_text(encoding="utf-8"))
                seconds |= found["seconds"]
                for name, tests in found["calls"].items():
                    calls[name] += tests
            part.unlink(missing_ok=True)
        path.write_text(json.dumps({"calls": calls, "seconds": seconds}), encoding="utf-8")
        return {"calls": calls, "seconds": seconds}

    def _mutate(self, items: dict[str, pytest.Item], trace: dict[str, Any]) -> None:
        order = candidates(self.given.only)
        most = MAX_SECONDS
        if self.given.again is not None:
            survivors = survived(self.given.again)
            order = [one for one in order if key_of(*one) in survivors]
            most = math.inf
        _functions()
        # Children would copy every page in which the collector counts.
        gc.freeze()
        random.Random(self.given.seed).shuffle(order)
        counts: Counter[str] = Counter()
        until = time.monotonic() + 60 * self.given.minutes
        with self.given.results.open("a", encoding="utf-8") as file:
            for path, mutant in order:
                if time.monotonic() > until:
                    break
                name = f"{path.relative_to(SOURCE)}:{mutant.function}"
                tests = chosen_tests(name, trace, most)
                verdict = "not called"
                if tests:
                    limit = 10 + 5 * sum(trace["seconds"][test] for test in tests)
                    code = in_child(partial(_judged, path, mutant, [items[test] for test in tests]), limit)
                    verdict = VERDICTS.get(code, "caught")
                counts[verdict] += 1
                entry = {"name": name, "line": mutant.line, "before": mutant.before, "after": mutant.after}
                file.write(json.dumps({"verdict": verdict, **entry, "tests": len(tests)}) + "\n")
                file.flush()
        print(f"{len(order)} changes, of which {sum(counts.values())} tried: {dict(counts)}")


def candidates(only: str) -> list[tuple[Path, Mutant]]:
    """Return every change of the files that are looked at and whose path holds ``only``."""
    found = []
    for folder in FOLDERS:
        for path in sorted((SOURCE / folder).rglob("*.py")):
            if only in str(path) and (folder != "transforms" or path.name.startswith("_")):
                found += [(path, m) for m in mutants_of(path.read_text(encoding="utf-8"))]
    return found


def key_of(path: Path, mutant: Mutant) -> tuple[str, int, str, str]:
    """Return what tells a change from all others."""
    return f"{path.relative_to(SOURCE)}:{mutant.function}", mutant.line, mutant.before, mutant.after


def survived(results: Path) -> set[tuple[str, int, str, str]]:
    """Return the changes that survived in a file of results, or whose time was over."""
    entries = map(json.loads, results.read_text(encoding="utf-8").splitlines())
    return {
        (one["name"], one["line"], one["before"], one["after"])
        for one in entries
        if one["verdict"] in ("survived", "out of time")
    }


def chosen_tests(function: str, trace: dict[str, Any], most: float = MAX_SECONDS) -> list[str]:
    """Return the tests that judge ``function``: those that call it, shortest first, for at most ``most`` seconds."""
    seconds = trace["seconds"]
    kept: list[str] = []
    total = 0.0
    for test in sorted(trace["calls"].get(function, ()), key=seconds.__getitem__):
        total += seconds[test]
        if kept and total > most:
            break
        kept.append(test)
    return kept


def in_child(work: Callable[[], int], cpu_s: float) -> int:
    """Return what ``work`` returns in a forked process, and 2 when it raises.

    A process that takes more than ``cpu_s`` of CPU time is ended by ``SIGXCPU``,
    and 9 is returned for one that waits for longer than ``WALL_FACTOR`` times that.
    """
    child = os.fork()
    if child == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(cpu_s), resource.RLIM_INFINITY))
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        code = 2
        try:
            code = work()
        finally:
            os._exit(code)
    until = time.monotonic() + WALL_FACTOR * cpu_s
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return 9


def _traced(items: Sequence[pytest.Item], target: Path) -> int:
    """Run ``items`` and write what those that pass call, in all threads."""
    calls: dict[str, list[str]] = defaultdict(list)
    seconds: dict[str, float] = {}
    found: set[CodeType] = set()

    def note(frame: FrameType, _event: str, _argument: object) -> None:
        # Returns no trace function, so that Python calls it once per call and not per line.
        found.add(frame.f_code)

    def begin() -> float:
        found.clear()
        _watch(note)
        return time.perf_counter()

    for item, failed in _run(items, stops=False, begin=begin):
        _watch(None)
        if failed is not None:
            continue
        seconds[item.nodeid] = item.stash[_SECONDS]
        for code in tuple(found):
            if code.co_filename.startswith(str(SOURCE)):
                name = code.co_qualname.split(".<locals>")[0]
                calls[f"{Path(code.co_filename).relative_to(SOURCE)}:{name}"].append(item.nodeid)
    target.write_text(json.dumps({"calls": calls, "seconds": seconds}), encoding="utf-8")
    return 0


_SECONDS: Final = pytest.StashKey[float]()


def _watch(function: Any) -> None:
    threading.settrace(function)
    sys.settrace(function)


def _run(
    items: Sequence[pytest.Item], *, stops: bool, begin: Callable[[], float] = time.perf_counter
) -> Iterator[tuple[pytest.Item, str | None]]:
    """Run the tests one after the other and give each with its name if it failed."""
    failures = Failures()
    items[0].config.pluginmanager.register(failures)
    for i, item in enumerate(items):
        began = begin()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=items[i + 1] if i + 1 < len(items) else None)
        item.stash[_SECONDS] = time.perf_counter() - began
        yield item, item.nodeid if item.nodeid in failures.names else None
        if stops and failures.names:
            return


def _judged(path: Path, mutant: Mutant, items: Sequence[pytest.Item]) -> int:
    """Return 0 when all ``items`` pass with the change, 1 when one does not, 3 when the code cannot be replaced."""
    try:
        _replace_code(path, mutant)
    except (ImportError, KeyError, ValueError):
        return 3
    return int(any(failed is not None for _, failed in _run(items, stops=True)))


def _replace_code(path: Path, mutant: Mutant) -> None:
    changed = _codes(compile(mutant.tree(), str(path), "exec"))
    key = str(path), mutant.function
    if key not in _functions():
        # Some modules are imported where they are needed.
        importlib.import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
        _functions.cache_clear()
    mine = _functions().get(key, [])
    if not mine:
        raise ValueError(f"{mutant.function} is not there.")
    for function in mine:
        function.__code__ = changed[function.__code__.co_qualname, function.__code__.co_firstlineno]


@cache
def _functions() -> dict[tuple[str, str], list[FunctionType]]:
    """Return the functions of the package by file and qualified name."""
    found: dict[tuple[str, str], list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        # By type(), because some modules of torch warn when they are asked for their class.
        if type(one) is FunctionType and one.__code__.co_filename.startswith(str(SOURCE)):
            found[one.__code__.co_filename, one.__code__.co_qualname].append(one)
    return found


def _codes(code: CodeType) -> dict[tuple[str, int], CodeType]:
    found = {(code.co_qualname, code.co_firstlineno): code}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            found |= _codes(inner)
    return found


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trace", type=Path, default=ROOT / "out" / "trace.json", help="which tests call what")
    parser.add_argument("--results", type=Path, default=ROOT / "out" / "mutants.jsonl", help="a line for each change")
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", type=Path, help="a file of results whose survivors are judged by all their tests")
    parser.add_argument("--only", default="", help="a part of the paths to change")
    given = parser.parse_args()
    given.trace.parent.mkdir(parents=True, exist_ok=True)
    tests = [str(ROOT / "tests" / name) for name in TESTS]
    tests += [f"--ignore={ROOT / 'tests' / name}" for name in LEFT_OUT]
    return int(pytest.main(["-q", "-p", "no:cacheprovider", *tests], plugins=[Loop(given)]))


if __name__ == "__main__":
    sys.exit(main())
