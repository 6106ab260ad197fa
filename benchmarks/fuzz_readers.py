"""Damage real files at random and read them: nothing but ``FormatError`` may come out.

::

    python benchmarks/fuzz_readers.py [--data FOLDER] [--format wfdb …] [--mutants 100000] [--seed 0]

For every format in the drawer, files of the folder of real records
(``CARDIOFLOW_DATA``) are cut to a size that makes many mutants possible,
damaged in one to eight places, written into an empty folder and read. A mutant
fails when reading it raises anything but ``FormatError``, takes longer than 5
seconds, allocates more than 20 times the size of the record's files plus 64
MiB, or opens a file outside its folder. Failing mutants are kept in
``--keep`` for a regression test. Prints one line per format, and returns 1
when a mutant failed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import edfio
import numpy as np
import scipy.io

from cardioflow.errors import FormatError
from cardioflow.io.base import Format, ReadRequest
from cardioflow.registry import formats

MOST_SECONDS = 5.0
MOST_GROWTH = 20
ALWAYS_ALLOWED = 64 << 20
LARGEST_SEED = 1 << 14

EVERYTHING = ReadRequest(components=frozenset({"signal", "meta", "annotation"}))
PLAIN = ReadRequest()
MARKS = ReadRequest(components=frozenset({"annotation"}))
PART = ReadRequest(start_s=0.5, stop_s=1.5, strict=True)

# Numbers that sizes, counts and offsets are often wrong by.
NUMBERS = [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1]
WORDS = [b"0", b"-1", b"1e309", b"nan", b"99999999999999999999", b"4000000000000", b"../../x", b"/etc/passwd", b"\xff"]


@dataclass
class Seed:
    """A record: its files, and which of them is given to the reader."""

    name: str
    files: dict[str, bytes]
    main: str


@dataclass
class Result:
    """What became of the mutants of one format."""

    mutants: int = 0
    read: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)


def seeds(fmt: str, data: Path) -> list[Seed]:
    """Return small real records of a format."""
    if fmt == "wfdb":
        return list(_wfdb_seeds(data))
    folder = data / "formats" / fmt
    reader = formats.get(fmt)
    found = list(_made(fmt, data))
    for path in sorted(p for p in folder.rglob("*") if p.is_file()) if folder.is_dir() else []:
        content = path.read_bytes()
        # Whole where that is cheap: a text that breaks off is refused before much of it is looked at.
        content = content if len(content) < 1 << 19 or fmt == "mfer" else content[: 1 << 18]
        # As many numbers in every lead, so that what is not damaged elsewhere is read to the end.
        if fmt == "edf":
            # As many records as there are.
            content = content[:236] + b"-1      " + content[244:]
        if fmt == "ishne" and content[:5] == b"ISHNE":
            # Its count is corrected, and its checksum taken out.
            count = (len(content) - 522) // 24
            content = content[:8] + b"\0\0" + content[10:14] + count.to_bytes(4, "little") + content[18:]
        content = re.sub(rb"<digits>([^<]*)", lambda m: b"<digits>" + b" ".join(m[1].split()[:100]), content)
        content = _fewer_sequences(content) if fmt == "mfer" else content
        if reader.recognises(content[:4096]):
            beside = path.with_suffix(".ann")
            marks = {beside.name: beside.read_bytes()} if beside.exists() else {}
            found.append(Seed(path.name, {path.name: content} | marks, path.name))
    return found


def _fewer_sequences(content: bytes) -> bytes:
    """Return an MFER file with the first of its sequences alone."""
    sequences, waves = content.index(b"\x06\x02"), content.index(b"\x1e\x84")
    count = int.from_bytes(content[sequences + 2 : sequences + 4], "little")
    size = int.from_bytes(content[waves + 2 : waves + 6], "big") // count
    one = content[:sequences] + b"\x06\x02\x01\x00" + content[sequences + 4 : waves + 2] + size.to_bytes(4, "big")
    return one + content[waves + 6 : waves + 6 + size]


def _made(fmt: str, data: Path) -> Iterator[Seed]:
    """Write a real record, with marks, in a format that has no sample file."""
    source = formats.get("wfdb")().read(data / "ludb/7", ReadRequest(EVERYTHING.components, stop_s=1.0))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if fmt == "npy":
            np.save(folder / "r.npy", source.signal[:2])
            (folder / "r.json").write_text('{"fs": 500, "leads": ["I", "II"], "age": 61}')
        elif fmt == "mat":
            for name, packed in (("r", False), ("s", True)):
                cell = np.array([*source.leads, None], dtype=object)[:-1]
                content = {"val": source.signal.astype("i2"), "fs": 500.0, "leads": cell}
                scipy.io.savemat(folder / f"{name}.mat", content, do_compression=packed)
        elif fmt == "bdf":
            rows = zip(source.signal.astype(float), source.leads, strict=True)
            signals = [edfio.BdfSignal(row, 500, label=lead, physical_dimension="mV") for row, lead in rows]
            edfio.Bdf(signals, annotations=[edfio.EdfAnnotation(0.5, None, "N")]).write(folder / "r.bdf")
        elif formats.get(fmt).write is not Format.write and fmt != "wfdb":
            formats.get(fmt)().write(source, folder / "r")
        files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in sorted(files):
        if not name.endswith((".json", ".ann")):
            yield Seed(f"written {name}", files, name)


def _wfdb_seeds(data: Path) -> Iterator[Seed]:
    for stem, suffixes in (
        ("cinc2017/A00015", ("hea", "mat")),
        ("mitdb/119", ("hea", "dat", "atr")),
        ("qtdb/sel230", ("hea", "dat", "q1c")),
        ("ludb/7", ("hea", "dat", "i", "ii")),
    ):
        files = {Path(f"{stem}.{s}").name: (data / f"{stem}.{s}").read_bytes()[:LARGEST_SEED] for s in suffixes}
        header = f"{Path(stem).name}.hea"
        # Fewer samples, because the signal files were cut short.
        for long in (b"650000", b"225000"):
            files[header] = files[header].replace(long, b"5000")
        yield Seed(stem, files, header)
    signal = bytes(range(256)) * 8
    for fmt in (8, 16, 24, 32, 61, 80, 160, 212, 310, 311):
        lines = f"r 2 250 200\nr.dat {fmt} 10(3)/mV 12 1024 7 0 0 I\nr.dat {fmt}:3 20/uV 12 0 0 5 0 II\n# Age: 6\n"
        yield Seed(f"format {fmt}", {"r.hea": lines.encode(), "r.dat": signal}, "r.hea")
    yield Seed(
        "segments",
        {
            "r.hea": b"r/4 2 250 60\nr_l 0\nr_1 20\n~ 30\nr_2 10\n",
            "r_l.hea": b"r_l 2 250 0\n~ 0 1 16 0 0 0 0 a\n~ 0 1 16 0 0 0 0 b\n",
            "r_1.hea": b"r_1 2 250 20\nr_1.dat 16x1 10 16 0 0 780 0 a\nr_1.dat 16 1 16 0 0 400 0 b\n",
            "r_2.hea": b"r_2 1 250 10\nr_2.dat 16 2 16 0 0 45 0 b\n",
            "r_1.dat": signal[:80],
            "r_2.dat": signal[:20],
        },
        "r.hea",
    )


def mutate(content: bytes, rng: random.Random) -> bytes:
    """Return ``content`` with one to eight places damaged."""
    damaged = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 4, 8))):
        n = len(damaged)
        # Heads hold sizes and counts: half of the damage is done there.
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


def _renumber(damaged: bytearray, rng: random.Random) -> None:
    """Replace a number that is written in digits."""
    digits = [i for i, c in enumerate(damaged[:4096]) if 48 <= c < 58]
    if digits:
        at = rng.choice(digits)
        end = at
        while end < len(damaged) and 48 <= damaged[end] < 58:
            end += 1
        damaged[at:end] = str(rng.choice(NUMBERS)).encode()


class Opened:
    """Notes every file that is opened for reading, by Python's audit hook."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.active = False
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.active and event == "open" and isinstance(arguments[0], str | bytes):
            self.paths.append(os.fsdecode(arguments[0]))

    def outside(self, folder: Path) -> list[str]:
        """Return what was opened elsewhere than in ``folder`` and among Python's own files."""
        own = (str(folder), *OWN)
        return [p for p in self.paths if not os.path.realpath(p).startswith(own)]


OPENED: list[Opened] = []
OWN = tuple(map(os.path.realpath, (sys.prefix, sys.base_prefix, Path(__file__).parents[1], "/proc", "/sys", "/dev")))


def fuzz(
    fmt: str, data: Path, mutants: int, *, seed: int = 0, keep: Path | None = None, limit_s: float = float("inf")
) -> Result:
    """Read ``mutants`` damaged files of one format, or as many as ``limit_s`` allows."""
    rng = random.Random(f"{fmt}/{seed}")
    reader: Format = formats.get(fmt)()
    result = Result()
    sources = seeds(fmt, data)
    if not sources:
        return result
    OPENED[:] = OPENED or [Opened()]
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place).resolve() / "record"
        for source in sources:
            why = _run(reader, source, folder, source.files, (EVERYTHING, PLAIN, PART, MARKS), whole := Result())
            # The first reading may take its time: kernels are compiled.
            if not whole.read:
                raise RuntimeError(f"the undamaged {source.name!r} cannot be read: {why or 'refused'}")
        end = time.perf_counter() + limit_s
        tracemalloc.start()
        for number in range(mutants):
            if time.perf_counter() > end:
                break
            source = rng.choice(sources)
            files = dict(source.files)
            for name in rng.sample(sorted(files), rng.randint(1, min(2, len(files)))):
                files[name] = mutate(files[name], rng)
            requests = rng.choice(((EVERYTHING,), (PLAIN,), (PART,)))
            why = _run(reader, source, folder, files, requests, result)
            result.mutants += 1
            if why:
                result.failures[why] += 1
                if keep is not None and result.failures[why] <= 3:
                    shutil.copytree(folder, keep / f"{fmt}-{seed}-{number}", dirs_exist_ok=True)
        tracemalloc.stop()
    return result


def _run(  # noqa: PLR0917 -- one mutant and how to read it
    reader: Format,
    source: Seed,
    folder: Path,
    files: dict[str, bytes],
    requests: tuple[ReadRequest, ...],
    result: Result | None,
) -> str:
    """Read one mutant and return what is wrong with how it went, or nothing."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    size = sum(map(len, files.values()))
    for request in requests:
        why = _read(reader, folder / source.main, request, size, result)
        if why:
            return why
    return ""


def _read(reader: Format, path: Path, request: ReadRequest, size: int, result: Result | None) -> str:
    opened = OPENED[0]
    opened.paths.clear()
    if result is not None:
        tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    start = time.thread_time()  # of this thread: a busy machine stretches the time on the wall
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
    outside = opened.outside(path.parent)
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
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("name the folder of real records with --data or CARDIOFLOW_DATA")
    failed = 0
    for fmt in arguments.format:
        start = time.perf_counter()
        result = fuzz(fmt, Path(arguments.data), arguments.mutants, seed=arguments.seed, keep=arguments.keep)
        if not result.mutants:
            print(f"{fmt:14s} no sample file")
            continue
        print(
            f"{fmt:14s} {result.mutants:7d} mutants: {result.read} read, {result.refused} refused, "
            f"{sum(result.failures.values())} failed; slowest {result.slowest_s:.2f} s; "
            f"{time.perf_counter() - start:.0f} s in all",
            flush=True,
        )
        for why, n in result.failures.most_common(20):
            print(f"    {n:6d} × {why}")
        failed += sum(result.failures.values())
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
