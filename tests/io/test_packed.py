"""A packed store gives back what was packed, to the bit, and refuses what is no store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.batch.annotation import Annotation
from cardioflow.errors import FormatError, InputError
from cardioflow.io._codecs.quantize import MISSING, as_int16
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


def test_integers_are_stored_as_int16_and_come_back_to_the_bit(records: EcgDataset, packed: EcgDataset) -> None:
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


def test_what_no_integer_makes_is_stored_as_float32(records: EcgDataset, tmp_path: Path) -> None:
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


def test_a_store_is_never_overwritten(records: EcgDataset, packed: EcgDataset) -> None:
    folder = packed.paths[0].rpartition("#")[0]
    with pytest.raises(InputError, match="is there already"):
        records.pack(folder, fmt="wfdb")


def test_a_failed_packing_leaves_nothing_behind(records: EcgDataset, tmp_path: Path) -> None:
    broken = EcgDataset([*records.paths[:2], tmp_path / "missing.hea"])
    with pytest.raises(FormatError, match="missing"):
        broken.pack(tmp_path / "b.packed", fmt="wfdb")
    assert list(tmp_path.iterdir()) == []
    store = broken.pack(tmp_path / "b.packed", fmt="wfdb", on_error="skip")
    assert store.ids == broken.ids[:2]


@pytest.fixture
def copy(packed: EcgDataset, tmp_path: Path) -> Path:
    return Path(shutil.copytree(packed.paths[0].rpartition("#")[0], tmp_path / "copy.packed"))


def _index(store: Path, **changes: object) -> None:
    index = json.loads((store / "store.json").read_text())
    (store / "store.json").write_text(json.dumps({**index, **changes}))


def test_an_index_of_another_version_or_with_outside_names_is_refused(copy: Path) -> None:
    shards = json.loads((copy / "store.json").read_text())["shards"]
    _index(copy, cardioflow_store=99)
    with pytest.raises(FormatError, match=r"is no index of a packed store of version 1"):
        EcgDataset(copy)
    _index(copy, cardioflow_store=1, shards=[{**shards[0], "file": "../outside.arrow"}, *shards[1:]])
    with pytest.raises(FormatError, match=r"is no index of a packed store"):
        EcgDataset(copy)
    (copy / "store.json").write_text("{")
    with pytest.raises(FormatError, match=r"is no index of a packed store: "):
        EcgDataset(copy)


def test_a_truncated_shard_is_refused(copy: Path) -> None:
    shard = next(copy.glob("*.arrow"))
    shard.write_bytes(shard.read_bytes()[:-1000])
    with pytest.raises(FormatError, match=r"is no shard of a packed store"):
        EcgDataset(copy)


def test_a_changed_shard_never_gives_anything_but_a_format_error(copy: Path) -> None:
    shard = next(copy.glob("*.arrow"))
    original = shard.read_bytes()
    rng = np.random.default_rng(0)
    n_refused = 0
    for number in range(300):
        raw = bytearray(original)
        # The head and the foot hold what Arrow is steered by; samples in between may be anything.
        at = int(rng.integers(0, 4000)) if number % 2 else len(raw) - 1 - int(rng.integers(0, 4000))
        raw[at] ^= 1 << int(rng.integers(0, 8))
        shard.write_bytes(bytes(raw))
        (copy / "store.json").touch()
        try:
            store = EcgDataset(copy)
            store.batch(range(min(8, len(store)))).load()
        except FormatError:
            n_refused += 1
    assert n_refused > 0
