"""Put each fault of ``tools/known_bugs.toml`` back, one at a time, and check that its tests notice.

``python tools/check_known_bugs.py`` works on a copy of the package and prints a
line for each fault. It fails when one survives, or when its text no longer
stands in the file once. ``--only WORDS`` takes those whose name holds the words.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_SOURCE: Final = ROOT / "src"
_LIMIT_S: Final = 300


@dataclass(frozen=True)
class KnownBug:
    """A change of one place in one file, and the tests that must fail with it."""

    name: str
    file: str
    """Below ``src/cardioflow``."""
    old: str
    """A text that stands in the file exactly once."""
    new: str
    tests: tuple[str, ...]
    """Below ``tests``, as pytest names them; every one of them must fail."""


def known_bugs() -> tuple[KnownBug, ...]:
    """Return the faults of ``tools/known_bugs.toml``."""
    table = tomllib.loads((ROOT / "tools" / "known_bugs.toml").read_text(encoding="utf-8"))
    return tuple(KnownBug(**{**entry, "tests": tuple(entry["tests"])}) for entry in table["bug"])


def changed(bug: KnownBug, text: str) -> str:
    """Return ``text`` with the fault in it.

    Raises:
        ValueError: when the text of the fault does not stand in it exactly once.
    """
    found = text.count(bug.old)
    if not bug.old or found != 1:
        raise ValueError(f"{bug.file} holds the text of {bug.name!r} {found} times, and once was expected.")
    return text.replace(bug.old, bug.new)


def missing_tests(bug: KnownBug) -> list[str]:
    """Return those of the fault's tests that do not exist."""
    missing = []
    for test in bug.tests:
        file, _, name = test.partition("::")
        path = ROOT / "tests" / file
        function = re.escape(name.partition("[")[0])
        if not path.is_file() or not re.search(rf"^def {function}\(", path.read_text(encoding="utf-8"), re.MULTILINE):
            missing.append(test)
    return missing


def unnoticed(bug: KnownBug, source: Path) -> list[str]:
    """Return the tests that pass although the package in ``source`` has the fault; the package is put right again.

    Raises:
        ValueError: when the fault's text does not stand in its file once.
        RuntimeError: when the tests cannot be run.
    """
    path = source / "cardioflow" / bug.file
    right = path.read_text(encoding="utf-8")
    stamp = path.stat()
    path.write_text(changed(bug, right), encoding="utf-8")
    try:
        failed = _failed_tests(bug, source)
    finally:
        path.write_text(right, encoding="utf-8")
        # Compiled kernels are kept as long as the file's time is the same.
        os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    return [test for test in bug.tests if not any(name.startswith(f"tests/{test}") for name in failed)]


def _failed_tests(bug: KnownBug, source: Path) -> list[str]:
    environment = {"KERAS_BACKEND": "torch", **os.environ, "PYTHONPATH": str(source)}
    tests = [f"tests/{test}" for test in bug.tests]
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", "--no-header", *tests]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        # Some faults make a test wait forever.
        return tests
    if done.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return re.findall(r"^(?:FAILED|ERROR) (\S.*)$", done.stdout, re.MULTILINE)


def main() -> int:
    """Check the faults that the command line asks for; return 1 when a test misses one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="words of the names of the faults to check")
    only = parser.parse_args().only
    chosen = [bug for bug in known_bugs() if only in bug.name]
    n_bad = 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(_SOURCE, source)
        for bug in chosen:
            began = time.perf_counter()
            try:
                passed = unnoticed(bug, source)
            except (ValueError, RuntimeError) as error:
                verdict, passed = f"cannot be checked: {error}", [""]
            else:
                verdict = "caught" if not passed else f"SURVIVED {', '.join(passed)}"
            n_bad += bool(passed)
            print(f"{verdict:<8} {time.perf_counter() - began:6.1f} s  {bug.name}", flush=True)
    print(f"{len(chosen) - n_bad} of {len(chosen)} faults are caught.")
    return int(n_bad > 0 or not chosen)


if __name__ == "__main__":
    sys.exit(main())
