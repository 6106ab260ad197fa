"""A packed store gives back what was packed, to the bit, and refuses what is no store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.batch.annotation import Annotation
from cardioflow.errors import CardioFlowError, FormatError, InputError
from cardioflow.io._codecs.quantize import MISSING, as_int16
from cardioflow.io._packed.index import BLOCK_BYTES
from cardioflow.io._packed.store import Store, open_store
from cardioflow.io._packed.writer import StoreWriter
from cardioflow.io.base import Record
from cardioflow.registry import formats


@pytest.fixture(scope="module")
def records(cinc: Path) -> EcgDataset:
    return EcgDataset(cinc / "A0[0-2]*.hea")


@pytest.fixture(scope="module")
def packed(records: EcgDataset, cinc: Path, tmp_path_factory: pytest.TempPathFactory) -> EcgDataset:
    # Small shards, so that batches reach over several.
    folder = tmp_path_factory.mktemp("stores") / "cinc.packed"
    labels = {line.split(",")[0]: line.split(",")[1] for line in (cinc / "REFERENCE.csv").read_text().split()}
    return records.pack(folder, fmt="wfdb", labels=labels, shard_mb=1)


def test_integers_are_stored_as_int16_without_loss(records: EcgDataset, packed: EcgDataset) -> None:
    folder = Path(packed.paths[0].rpartition("#")[0])
    shards = json.loads((folder / "store.json").read_text())["shards"]
    assert {s["dtype"] for s in shards} == {"int16"}
    original = records.batch(range(len(records))).load(fmt="wfdb", components=["signal", "meta"])
    again = packed.batch(range(len(packed))).load(components=["signal", "meta"])
    assert len(shards) > 1, "or no batch reaches over several"
    assert again.signal == original.signal
    assert again.meta == original.meta


def test_any_order_of_records_is_served(records: EcgDataset, packed: EcgDataset) -> None:
    rows = np.random.default_rng(0).permutation(len(records))
    assert packed.batch(rows).load().signal == records.batch(rows).load(fmt="wfdb").signal
    assert packed.batch(rows).load().meta == records.batch(rows).load(fmt="wfdb").meta


def test_a_template_written_for_files_reads_a_store_too(records: EcgDataset, packed: EcgDataset) -> None:
    template = Pipeline().load(fmt="wfdb").random_split_signals(1000, 2)
    files = [b.signal for b in (records >> template).batches(7, shuffle=True, seed=3)]
    store = [b.signal for b in (packed >> template).batches(7, shuffle=True, seed=3)]
    assert files == store


def test_labels_are_kept(records: EcgDataset, packed: EcgDataset) -> None:
    again = EcgDataset(packed.paths[0].rpartition("#")[0])
    assert again.ids == records.ids
    assert again.labels is not None
    batch = (again >> Pipeline().load(components="target")).next_batch(5)
    assert batch.target.tolist() == [again.labels[i] for i in batch.ids]


def test_signals_without_integer_steps_are_stored_as_float32(records: EcgDataset, tmp_path: Path) -> None:
    simulated = EcgDataset.simulated(4, duration_s=5)
    store = simulated.pack(tmp_path / "s.packed", fmt="simulated")
    batch, again = simulated.batch(range(4)).load(fmt="simulated"), store.batch(range(4)).load()
    assert again.signal == batch.signal
    assert again.signal.data.base is not None, "a view of the mapped file"
    assert store.labels == simulated.labels
    assert store.batch([2, 0]).load().signal == simulated.batch([2, 0]).load(fmt="simulated").signal


def test_neighbours_of_float32_are_handed_out_without_a_copy(tmp_path: Path) -> None:
    for name in "abc":
        signal = np.random.default_rng(ord(name)).normal(size=(2, 300)).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", signal=signal, fs=250.0, leads=np.array(["II", "V1"]))
    packed = EcgDataset(tmp_path / "*.npz").pack(tmp_path / "store", fmt="npz")
    first, again, turned = (packed.batch(rows).load(fmt="packed").signal for rows in ([0, 1, 2], [1, 2], [2, 1]))
    assert np.shares_memory(first.data, again.data)
    assert not first.data.flags.writeable
    assert not np.shares_memory(first.data, turned.data)
    np.testing.assert_array_equal(turned[0], first[2])


def test_codes_without_a_letter_and_durations_are_kept(tmp_path: Path) -> None:
    marks = Annotation(np.array([1, 5]), np.array(["N", "[42]"]), ("", "own"), duration_s=np.array([0.0, 2.5]))
    source = Record(np.ones((1, 100), np.float32), 100.0, ("II",), ("mV",), {}, marks)
    formats.get("npz")().write(source, tmp_path / "r")
    dataset = EcgDataset([tmp_path / "r.npz"])
    store = dataset.pack(tmp_path / "store", fmt="npz", components=("signal", "meta", "annotation"))
    assert dataset.batch([0]).load(fmt="npz", components="annotation").annotation == (marks,)
    assert store.batch([0]).load(components="annotation").annotation == (marks,)


def test_annotations_leads_and_missing_samples_are_kept(data: Path, tmp_path: Path) -> None:
    source = EcgDataset(data / "qtdb" / "sel2*.hea")
    wanted = ["signal", "meta", "annotation"]
    with pytest.raises(InputError, match="a store holds at least 'signal' and 'meta'"):
        source.pack(tmp_path / "x", fmt="wfdb", components=["signal"])
    store = source.pack(tmp_path / "q.packed", fmt="wfdb", components=wanted)
    batch, again = source.batch([0]).load(fmt="wfdb", components=wanted), store.batch([0]).load(components=wanted)
    assert again.annotation == batch.annotation
    assert again.meta[0]["leads"] == batch.meta[0]["leads"]
    part = store.batch([0]).load(components=wanted, channels=[1], start_s=10, stop_s=12)
    np.testing.assert_array_equal(part.signal[0], batch.signal[0][1:, 2500:3000])
    assert part.annotation[0] == batch.annotation[0].window(2500, 3000)
    with pytest.raises(InputError, match=r"load\(ann_ext='q1c'\): the records are packed"):
        store.batch([0]).load(components=wanted, ann_ext="q1c")


def test_a_missing_sample_is_nan_again() -> None:
    signal = np.array([[0.1, np.nan, -0.2]], np.float32)
    whole = as_int16(signal, (1000.0,), (0.0,))
    assert whole is not None
    assert whole.tolist() == [[100, MISSING, -200]]
    assert as_int16(signal, (3.0,), (0.0,)) is None, "no integers make these values"
    assert as_int16(signal, None, None) is None


@pytest.mark.parametrize(
    ("sample", "gain", "stored"),
    [
        (32.767, 1000.0, 32767),
        (-32.767, 1000.0, -32767),
        (-32.768, 1000.0, None),  # the integer of a missing sample
        (32.768, 1000.0, None),
        (0.0025, 1000.0, None),  # between two integers
        (-1.5, -200.0, 300),
        (np.nan, 1000.0, MISSING),
        (np.inf, 1000.0, None),
        (1.0, 0.0, None),
        (1.0, np.nan, None),
        (np.nan, np.nan, MISSING),
    ],
)
def test_a_sample_is_stored_as_its_integer_or_not_at_all(sample: float, gain: float, stored: int | None) -> None:
    """The integers of the limits, of a turned gain, and what none stands for."""
    whole = as_int16(np.array([[0.0, sample]], np.float32)[:, 1:], (gain,), (0.0,))
    assert whole is None if stored is None else whole is not None and whole.tolist() == [[stored]]


def test_a_store_is_never_overwritten(records: EcgDataset, packed: EcgDataset) -> None:
    folder = packed.paths[0].rpartition("#")[0]
    with pytest.raises(InputError, match=r"exists\. Choose another name"):
        records.pack(folder, fmt="wfdb")


def test_a_failed_packing_leaves_nothing_behind(records: EcgDataset, tmp_path: Path) -> None:
    broken = EcgDataset([*records.paths[:2], tmp_path / "missing.hea"])
    with pytest.raises(FormatError, match="missing"):
        broken.pack(tmp_path / "b.packed", fmt="wfdb")
    assert list(tmp_path.iterdir()) == []
    with pytest.warns(UserWarning, match=r"pack\('.*b\.packed'\) left out 1 record: missing: .*missing\.hea"):
        store = broken.pack(tmp_path / "b.packed", fmt="wfdb", on_error="skip")
    assert store.ids == broken.ids[:2]


@pytest.fixture
def copy(packed: EcgDataset, tmp_path: Path) -> Path:
    return Path(shutil.copytree(packed.paths[0].rpartition("#")[0], tmp_path / "copy.packed"))


def _index(store: Path, **changes: object) -> None:
    """Change the index, as somebody would who knows its checksum."""
    index = {**json.loads((store / "store.json").read_text()), **changes}
    index.pop("crc32", None)
    known = json.dumps(index, sort_keys=True, separators=(",", ":")).encode()
    (store / "store.json").write_text(json.dumps({**index, "crc32": f"{zlib.crc32(known):08x}"}))


def _without_checksums(store: Path) -> None:
    """Make of a store what the first version wrote."""
    index = json.loads((store / "store.json").read_text())
    shards = [{key: shard[key] for key in ("file", "dtype", "n_records")} for shard in index["shards"]]
    old = {"cardioflow_store": 1, "n_records": index["n_records"], "missing": index["missing"], "shards": shards}
    (store / "store.json").write_text(json.dumps(old, indent=1))


def _flip(path: Path, at: int, bit: int = 0) -> None:
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1 << bit
    path.write_bytes(bytes(raw))


def test_an_index_of_another_version_or_with_outside_names_is_refused(copy: Path) -> None:
    shards = json.loads((copy / "store.json").read_text())["shards"]
    _index(copy, cardioflow_store=99)
    with pytest.raises(FormatError, match=r"is not the index of a packed store: its version is 99, expected 2 or 1"):
        EcgDataset(copy)
    _index(copy, cardioflow_store=2, shards=[{**shards[0], "file": "../outside.arrow"}, *shards[1:]])
    with pytest.raises(FormatError, match=r"is not the index of a packed store: .* does not describe a shard"):
        EcgDataset(copy)
    (copy / "store.json").write_text("{")
    with pytest.raises(FormatError, match=r"is not the index of a packed store: "):
        EcgDataset(copy)


def test_a_changed_index_is_refused(copy: Path) -> None:
    text = (copy / "store.json").read_text()
    for old, new in (('"int16"', '"float32"'), ("shard-00000", "shard-00001"), (": 2,", ": 1,")):
        (copy / "store.json").write_text(text.replace(old, new, 1))
        with pytest.raises(FormatError, match=r"Pack the records again"):
            EcgDataset(copy)


@pytest.mark.parametrize("has_checksums", [True, False])
def test_a_truncated_shard_is_refused(copy: Path, has_checksums: bool) -> None:
    if not has_checksums:
        _without_checksums(copy)
    shard = next(copy.glob("*.arrow"))
    shard.write_bytes(shard.read_bytes()[:-1000])
    said = "but the index says" if has_checksums else "is not a shard of a packed store"
    with pytest.raises(FormatError, match=said):
        EcgDataset(copy)


def test_a_shard_that_changes_while_its_store_is_open_is_noticed(copy: Path) -> None:
    """Its checksums were checked, and a map of a file that has become shorter ends the process."""
    store, shard = EcgDataset(copy), sorted(copy.glob("*.arrow"))[0]
    whole, expected = shard.read_bytes(), store.batch([0, 1]).load().signal
    middle = len(whole) // 2
    for changed, message in (
        (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], "do not have their checksum"),
        (whole[:-5000], f"has {len(whole) - 5000} bytes, but the index says {len(whole)}"),
        (None, "is not a shard of a packed store"),
    ):
        if changed is None:
            shard.unlink()
        else:
            shard.write_bytes(changed)
        with pytest.raises(CardioFlowError, match=message):
            store.batch(range(len(store))).load()
        shard.write_bytes(whole)
        assert store.batch([0, 1]).load().signal == expected


def test_a_store_that_was_packed_again_gives_no_record_under_another_name(cinc: Path, tmp_path: Path) -> None:
    """In this process, and in a worker that opens it anew."""
    files, place = sorted(cinc.glob("*.hea"))[:4], tmp_path / "s"
    EcgDataset(files).pack(place)
    store, other = EcgDataset(place), EcgDataset(place).subset([files[1].stem, files[2].stem])
    expected = store.batch(range(4)).load().signal
    shutil.rmtree(place)
    EcgDataset(files).pack(place)
    assert store.batch(range(4)).load().signal == expected  # the same records again
    shutil.rmtree(place)
    EcgDataset(files[::-1]).pack(place)
    with pytest.raises(InputError, match="was packed again after the data set was made from it"):
        store.batch(range(4)).load()
    for options in ({"processes": 1}, {"on_error": "skip"}):
        with pytest.raises(InputError, match="was packed again"):
            (other >> Pipeline().load()).run(batch_size=2, progress=False, **options)
    assert EcgDataset(place).batch(range(4)).load().signal == expected.take(np.arange(4)[::-1])


@pytest.mark.parametrize("has_checksums", [True, False])
def test_a_changed_shard_never_gives_anything_but_a_format_error(
    copy: Path,
    has_checksums: bool,
) -> None:
    if not has_checksums:
        _without_checksums(copy)
    shard = next(copy.glob("*.arrow"))
    original = shard.read_bytes()
    rng = np.random.default_rng(0)
    n_refused = 0
    for number in range(200):
        shard.write_bytes(original)
        # The head and the foot hold what Arrow is steered by.
        at = int(rng.integers(0, 4000)) if number % 2 else len(original) - 1 - int(rng.integers(0, 4000))
        _flip(shard, at, int(rng.integers(0, 8)))
        (copy / "store.json").touch()
        try:
            store = EcgDataset(copy)
            store.batch(range(min(8, len(store)))).load()
        except FormatError:
            n_refused += 1
    assert n_refused == 200 if has_checksums else n_refused > 0


def test_no_flipped_bit_gives_other_samples(copy: Path) -> None:
    expected = open_store(copy).signals(np.arange(len(open_store(copy))))
    shards = sorted(copy.glob("*.arrow"))
    originals = [shard.read_bytes() for shard in shards]
    rng = np.random.default_rng(1)
    for _ in range(100):
        number = int(rng.integers(0, len(shards)))
        _flip(shards[number], int(rng.integers(0, len(originals[number]))), int(rng.integers(0, 8)))
        with pytest.raises(FormatError, match=r"do not have their checksum"):
            Store(copy).signals(np.arange(len(expected)))
        shards[number].write_bytes(originals[number])
    assert Store(copy).signals(np.arange(len(expected))) == expected


def test_checksums_are_checked_when_opening_when_reading_or_never(copy: Path) -> None:
    index = json.loads((copy / "store.json").read_text())
    shard = index["shards"][0]
    _flip(copy / shard["file"], sum(shard["signal"]) // 2)
    rows = np.arange(index["n_records"])
    with pytest.raises(FormatError, match=r"shard-00000\.arrow is damaged: its bytes \d+ to \d+ do not have their"):
        Store(copy, "open")
    store = Store(copy, "read")
    with pytest.raises(FormatError, match="do not have their checksum"):
        store.signals(rows)
    assert len(Store(copy, "never").signals(rows)) == index["n_records"]
    with pytest.raises(InputError, match=r"verify='always': expected 'open', 'read' or 'never'"):
        EcgDataset(copy).batch([0]).load(fmt="packed", verify="always")
    assert len(EcgDataset(copy).batch(rows).load(fmt="packed", verify="never").signal) == index["n_records"]


def test_only_the_records_in_a_damaged_block_are_skipped(copy: Path) -> None:
    index = json.loads((copy / "store.json").read_text())
    entry = index["shards"][0]
    _flip(copy / entry["file"], BLOCK_BYTES + 10)
    dataset = EcgDataset(copy)
    run = (dataset >> Pipeline().load(fmt="packed")).run(batch_size=4, on_error="skip")
    shard = Store(copy, "never").shards[0]
    first, last = (shard.starts[:-1] * 2 + entry["signal"][0], shard.starts[1:] * 2 + entry["signal"][0])
    damaged = {dataset.ids[at] for at in shard.at[(first < 2 * BLOCK_BYTES) & (last > BLOCK_BYTES)].tolist()}
    assert {skipped.record for skipped in run.skipped} == damaged
    assert 0 < len(damaged) < len(dataset)
    with pytest.raises(FormatError, match="do not have their checksum"):
        (dataset >> Pipeline().load(fmt="packed")).run(batch_size=4)


def test_a_store_without_checksums_is_read_and_reports_it(copy: Path, packed: EcgDataset) -> None:
    with_checksums = repr(Store(copy))
    _without_checksums(copy)
    assert EcgDataset(copy).batch(range(8)).load().signal == packed.batch(range(8)).load().signal
    assert "a checksum per 256 KiB" in with_checksums
    assert repr(Store(copy)) == with_checksums.replace("a checksum per 256 KiB", "no checksums")
    with pytest.raises(InputError, match=r"has no checksums, so verify='open' cannot check it"):
        Store(copy, "open")


def test_how_sure_a_mark_is_is_packed_too(tmp_path: Path) -> None:
    marks = Annotation(np.array([1, 5]), np.array(["N", "V"]), ("", ""), confidence=np.array([0.25, np.nan]))
    formats.get("npz")().write(
        Record(np.ones((1, 100), np.float32), 100.0, ("II",), ("mV",), {}, marks), tmp_path / "r"
    )
    store = EcgDataset([tmp_path / "r.npz"]).pack(tmp_path / "store", components=("signal", "meta", "annotation"))
    found = store.batch([0]).load(components="annotation").annotation[0]
    np.testing.assert_array_equal(found.confidence, [0.25, np.nan])


def test_one_shard_is_in_memory_while_packing(tmp_path: Path) -> None:
    record = np.zeros((1, 1 << 16), np.float32)
    shard_bytes, n_records = 1 << 24, 400
    rng = np.random.default_rng(0)
    tracemalloc.start()
    with StoreWriter(tmp_path / "store", shard_bytes) as writer:
        for i in range(n_records):
            # Half of the records are integers, and half are none.
            gain = 1000.0 if i % 2 else 1.0
            record[:] = rng.integers(-500, 500, record.shape) / np.float32(1000.0)
            writer.add(str(i), record, {"adc_gain": (gain,), "baseline": (0,)}, None, None)
            held = sum(shard.n_bytes for shard in writer._open.values())
            assert held <= shard_bytes
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # NumPy reports what it reserved for both kinds, of which only what is filled takes memory.
    assert peak < 2 * shard_bytes + (1 << 22)
    store = Store(tmp_path / "store", "open")
    assert len(store) == n_records
    assert max(path.stat().st_size for path in (tmp_path / "store").glob("*.arrow")) < 1.01 * shard_bytes


def test_a_record_larger_than_a_shard_gets_its_own_shard(tmp_path: Path) -> None:
    signals = [np.random.default_rng(i).normal(size=(2, n)).astype(np.float32) for i, n in enumerate((10, 9000, 20))]
    with StoreWriter(tmp_path / "store", 4096) as writer:
        for i, signal in enumerate(signals):
            writer.add(str(i), signal, {"fs": 250.0}, None, None)
    found = Store(tmp_path / "store").signals(np.arange(3))
    for i, signal in enumerate(signals):
        np.testing.assert_array_equal(found[i], signal)


def test_a_leftover_of_a_killed_packing_is_not_in_the_way(records: EcgDataset, tmp_path: Path) -> None:
    (tmp_path / f".p.packed.part-{os.getpid()}").mkdir()
    for _ in range(2):
        with pytest.raises(KeyError), StoreWriter(tmp_path / "p.packed", 1 << 20):
            raise KeyError("stopped")
    assert len(records.pack(tmp_path / "p.packed", fmt="wfdb")) == len(records)


def test_a_full_disk_while_packing_is_one_error_and_leaves_nothing(tmp_path: Path) -> None:
    code = f"""
        import resource
        from pathlib import Path
        import numpy as np
        from cardioflow.errors import WriteError
        from cardioflow.io.reading import store_writer
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            with store_writer(Path({str(tmp_path)!r}) / "store", 1 << 18) as writer:
                for i in range(50):
                    writer.add(str(i), np.zeros((2, 5000), np.float32), {{"fs": 250.0}}, None, None)
        except WriteError as error:
            print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert "store' cannot be written: File too large. Choose another disk" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_missing_samples_survive_packing(tmp_path: Path) -> None:
    # 200 per mV is exact in float32, and 1000.1 is not: two ways to compute a sample.
    for name, gain in (("a", 200.0), ("b", 1000.1)):
        signal = np.array([[1, 2, 3], [4, 5, 6]], np.float32) * 100
        signal = (signal.astype(np.float64) / gain).astype(np.float32)
        signal[1, 1] = np.nan
        meta = {"adc_gain": (gain, gain), "baseline": (0.0, 0.0)}
        source = Record(signal, 250.0, ("I", "II"), ("mV", "mV"), meta)
        formats.get("npz")().write(source, tmp_path / name)
    files = EcgDataset(tmp_path / "*.npz")
    store = files.pack(tmp_path / "store", fmt="npz")
    assert {s["dtype"] for s in json.loads((tmp_path / "store/store.json").read_text())["shards"]} == {"int16"}
    for own, again in zip(files.batch([0, 1]).load().signal, store.batch([0, 1]).load().signal, strict=True):
        assert np.isnan(again).tolist() == [[False] * 3, [False, True, False]]
        np.testing.assert_array_equal(again, own)


def test_records_of_two_types_keep_their_order_in_a_store(tmp_path: Path) -> None:
    for i in range(6):
        # Every other record is of integers, and goes to another shard.
        meta = {"adc_gain": (1000.0,), "baseline": (0.0,)} if i % 2 else {}
        signal = np.full((1, 10 + i), i + (0 if i % 2 else 0.123), np.float32)
        formats.get("npz")().write(Record(signal, 250.0, ("II",), ("mV",), meta), tmp_path / f"r{i}")
    files = EcgDataset(tmp_path / "*.npz")
    store = files.pack(tmp_path / "store", fmt="npz", labels={f"r{i}": f"label{i}" for i in range(6)})
    assert store.ids == ("r0", "r1", "r2", "r3", "r4", "r5")
    assert store.labels == {f"r{i}": f"label{i}" for i in range(6)}
    assert store.batch(range(6)).load().signal == files.batch(range(6)).load().signal
    turned = store.batch([5, 0, 3, 2]).load()
    assert [(s.shape[1], float(s[0, 0])) for s in turned.signal] == [
        (15, 5.0),
        (10, pytest.approx(0.123)),
        (13, 3.0),
        (12, pytest.approx(2.123)),
    ]


@pytest.mark.parametrize(("shard_mb", "n_shards"), [(64, 1), (1, 3)])
def test_the_size_of_a_shard_is_in_mib(tmp_path: Path, shard_mb: int, n_shards: int) -> None:
    signals = [np.full((1, 1 << 16), i, np.float32) + np.float32(0.1) for i in range(9)]
    records = EcgDataset.from_arrays(signals, fs=500, leads=["II"])
    packed = records.pack(tmp_path / "store", shard_mb=shard_mb)
    assert len(open_store(tmp_path / "store").shards) == n_shards
    assert [float(s[0, 0]) for s in packed.batch(range(9)).load().signal] == [float(s[0, 0]) for s in signals]
