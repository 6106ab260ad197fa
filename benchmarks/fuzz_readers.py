"""Damage real files at random and read them: readers may raise only ``FormatError``.

::

    python benchmarks/fuzz_readers.py [--data FOLDER] [--format wfdb …] [--mutants 100000] [--seed 0] [--trace-every 4]

For every format, files from the folder of real records (``CARDIOFLOW_DATA``) are
shortened so that many mutants can be tested, damaged in one to eight places,
written into an empty folder and read. A mutant fails if reading it raises
anything but ``FormatError``, takes longer than 5 seconds, allocates more than 20
times the size of the record's files plus 4 MiB, or opens a file outside its
folder. Counting allocations takes up to four times as long as reading, so it is
done for one mutant in ``--trace-every``; the others may allocate at most 2 GiB.
Failing mutants are kept in ``--keep`` for a regression test. The output is one
line per format, and the exit status is 1 if a mutant failed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from _fuzz_seeds import EVERYTHING, Seed, seeds

from cardioflow.core.kernel_cache import folders
from cardioflow.errors import FormatError
from cardioflow.io.base import Format, ReadRequest
from cardioflow.registry import formats

MOST_SECONDS = 5.0
MOST_GROWTH = 20
ALWAYS_ALLOWED = 4 << 20
MOST_UNTRACED = 2 << 30

PLAIN = ReadRequest()
MARKS = ReadRequest(components=frozenset({"annotation"}))
PART = ReadRequest(start_s=0.5, stop_s=1.5, strict=True)
WHOLE_PARTS = replace(EVERYTHING, damaged="read")

# Typical errors of sizes, counts and offsets.
NUMBERS = [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1]
WORDS = [b"0", b"-1", b"1e309", b"nan", b"99999999999999999999", b"4000000000000", b"../../x", b"/etc/passwd", b"\xff"]


@dataclass
class Result:
    """The results for the mutants of one format."""

    mutants: int = 0
    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Return ``content`` with one to eight places damaged."""
    places = rng.choice((1, 1, 1, 2, 2, 4, 8))
    # XML damaged at random is hardly ever well-formed, so two of three mutants get damaged values or elements instead.
    if b"<?xml" in content[:64] and rng.random() < 0.67:
        for _ in range(places):
            content = _mutate_xml(content, rng)
        return content
    damaged = bytearray(content)
    for _ in range(places):
        n = len(damaged)
        # Headers contain sizes and counts, so they get half of the damage.
        at = rng.randrange(min(n, 512) if rng.random() < 0.5 else n) if n else 0
        kind = rng.randrange(8)
        if kind == 0 and n:
            damaged[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and n:
            damaged[at] = rng.randrange(256)
        elif kind == 2:
            size = rng.choice((1, 2, 4, 8))
            number = rng.choice(NUMBERS) & (1 << 8 * size) - 1
            damaged[at : at + size] = number.to_bytes(size, rng.choice(("little", "big")))
        elif kind == 3:
            del damaged[at : at + rng.randint(1, 64)]
        elif kind == 4:
            damaged[at:at] = rng.randbytes(rng.randint(1, 16))
        elif kind == 5:
            damaged[at : at + rng.randint(0, 8)] = rng.choice(WORDS)
        elif kind == 6:
            other = rng.randrange(n) if n else 0
            damaged[at:at] = damaged[other : other + rng.randint(1, 64)]
        elif rng.random() < 0.3:
            del damaged[at:]
        if rng.random() < 0.2:
            _renumber(damaged, rng)
    return bytes(damaged)


def _mutate_xml(content: bytes, rng: random.Random) -> bytes:
    """Return XML with one value replaced or damaged, or one element removed or duplicated."""
    at = rng.randrange(len(content) + 1)
    value = _VALUE.search(content, at) or _VALUE.search(content)
    element = _ELEMENT.search(content, at)
    kind = rng.randrange(6)
    if kind == 0 and element:
        return content[: element.start()] + element[0] * rng.choice((0, 2, 3)) + content[element.end() :]
    if value is None:
        return content
    start, stop = value.span(value.lastindex or 0)
    old = value[value.lastindex or 0]
    if kind == 1:
        new = b""
    elif kind == 2:
        new = rng.choice(WORDS[:-1])
    elif kind == 3:
        new = str(rng.choice(NUMBERS) * rng.choice((1, -1))).encode()
    elif kind == 4:
        new = old[: rng.randrange(len(old) + 1)]
    else:
        place = rng.randrange(len(old) + 1)
        new = old[:place] + rng.choice((b"0", b".", b"-", b"e", b" ", b"A", b"=", old[:20])) + old[place:]
    return content[:start] + new + content[stop:]


_VALUE = re.compile(rb'="([^"<>]*)"|>([^<>]*[^<>\s][^<>]*)<')
_ELEMENT = re.compile(rb"<([\w:]+)(?: [^<>]*)?(?:/>|>[^<>]*</\1>)")


def _renumber(damaged: bytearray, rng: random.Random) -> None:
    """Replace a number written in digits."""
    digits = list(re.finditer(rb"\d+", damaged[:4096]))
    if digits:
        found = rng.choice(digits)
        damaged[found.start() : found.end()] = str(rng.choice(NUMBERS)).encode()


class Opened:
    """Records every file that is opened for reading, with Python's audit hook."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.active = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.active and event == "open" and isinstance(arguments[0], str | bytes):
            self.paths.append(os.fsdecode(arguments[0]))

    def outside(self, folder: Path) -> list[str]:
        """Return the files opened outside ``folder``, Python's own files and the kernel cache."""
        own = (str(folder), *OWN)
        return [p for p in self.paths if not os.path.realpath(p).startswith(own)]


OPENED: list[Opened] = []
# A mutant may be the first that needs a kernel for its types, whose machine code is then read from the cache.
CACHES = [folder.parent for folder in folders(Path(__file__))]
OWN = tuple(
    map(os.path.realpath, (sys.prefix, sys.base_prefix, Path(__file__).parents[1], *CACHES, "/proc", "/sys", "/dev"))
)


def fuzz(
    fmt: str,
    data: Path,
    mutants: int,
    *,
    seed: int = 0,
    keep: Path | None = None,
    limit_s: float = float("inf"),
    trace_every: int = 1,
    most_memory: int | None = None,
) -> Result:
    """Read ``mutants`` damaged files of one format, or as many as ``limit_s`` allows.

    Allocations are counted for one mutant in ``trace_every``; ``most_memory`` is what the process may ask for besides.
    """
    rng = random.Random(f"{fmt}/{seed}")
    reader: Format = formats.get(fmt)()
    result = Result()
    sources = seeds(fmt, data)
    if not sources:
        return result
    OPENED[:] = OPENED or [Opened()]
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings(), _limited(most_memory):
        warnings.simplefilter("ignore")
        folder = Path(place).resolve() / "record"
        for source in sources:
            why = _run(reader, source, folder, source.files, (EVERYTHING, PLAIN, PART, MARKS), whole := Result())
            # The first reading is not timed, because kernels are compiled.
            if not whole.read:
                raise RuntimeError(f"the undamaged {source.name!r} cannot be read: {why or 'refused'}")
        end = time.perf_counter() + limit_s
        for number in range(mutants):
            if time.perf_counter() > end:
                break
            if number % trace_every == 0:
                tracemalloc.start()
            source = rng.choice(sources)
            files = dict(source.files)
            for name in rng.sample(sorted(files), rng.randint(1, min(2, len(files)))):
                files[name] = mutate(files[name], rng)
            requests = rng.choice(((EVERYTHING,), (PLAIN,), (PART,), (WHOLE_PARTS,)))
            why = _run(reader, source, folder, files, requests, result)
            tracemalloc.stop()
            result.mutants += 1
            if why:
                result.failures[why] += 1
                if keep is not None and result.failures[why] <= 3:
                    shutil.copytree(folder, keep / f"{fmt}-{seed}-{number}", dirs_exist_ok=True)
    return result


@contextmanager
def _limited(more: int | None) -> Iterator[None]:
    """Limit the process to ``more`` bytes beyond its current memory."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    if more is not None:
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _run(  # noqa: PLR0917 -- one mutant and how to read it
    reader: Format,
    source: Seed,
    folder: Path,
    files: dict[str, bytes],
    requests: tuple[ReadRequest, ...],
    result: Result | None,
) -> str:
    """Read one mutant and return what went wrong, or an empty string."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    size = sum(map(len, files.values()))
    for request in requests:
        why = _read(reader, source.path(folder), folder, request, size, result)
        if why:
            return why
    return ""


def _read(  # noqa: PLR0917 -- one file and how to read it
    reader: Format, path: Path, folder: Path, request: ReadRequest, size: int, result: Result | None
) -> str:
    opened = OPENED[0]
    opened.paths.clear()
    if result is not None:
        tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    start = time.thread_time()  # not wall time, which a busy machine stretches
    opened.active = True
    why = ""
    try:
        reader.read(path, request)
        outcome = "read"
    except FormatError:
        outcome = "refused"
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        outcome = ""
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        where = f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at else "?"
        why = f"{type(error).__name__} at {where}: {str(error)[:80]}"
    finally:
        opened.active = False
    taken = time.thread_time() - start
    peak = tracemalloc.get_traced_memory()[1] - before
    if taken > MOST_SECONDS:
        why = why or f"took {taken:.1f} s"
    if result is not None and peak > ALWAYS_ALLOWED + MOST_GROWTH * size:
        why = why or f"allocated {peak >> 20} MiB for a file of {size >> 10} KiB"
    outside = opened.outside(folder)
    if outside:
        why = why or f"opened {outside[0]}"
    if result is not None:
        result.slowest_s = max(result.slowest_s, taken)
        result.read += outcome == "read"
        result.refused += outcome == "refused"
    return why


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("CARDIOFLOW_DATA"))
    parser.add_argument("--format", nargs="*", default=list(formats.names()))
    parser.add_argument("--mutants", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--trace-every", type=int, default=4, help="trace the allocations of one in this many mutants")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("pass the folder of real records with --data, or set CARDIOFLOW_DATA")
    failed = 0
    for fmt in arguments.format:
        start = time.perf_counter()
        result = fuzz(
            fmt,
            Path(arguments.data),
            arguments.mutants,
            seed=arguments.seed,
            keep=arguments.keep,
            trace_every=arguments.trace_every,
            most_memory=MOST_UNTRACED,
        )
        if not result.mutants:
            print(f"{fmt:14s} no sample file")
            continue
        print(
            f"{fmt:14s} {result.mutants:7d} mutants: {result.read} read, {result.refused} refused, "
            f"{sum(result.failures.values())} failed; slowest {result.slowest_s:.2f} s; "
            f"{time.perf_counter() - start:.0f} s in total",
            flush=True,
        )
        for why, n in result.failures.most_common(20):
            print(f"    {n:6d} × {why}")
        failed += sum(result.failures.values())
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
