"""The leak guard finds copies, excerpts, shared patients and shared tapes, and raises no false alarm on others."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.signal

import cardioflow
from cardioflow import EcgDataset, errors
from cardioflow.errors import LeakError, UnknownNameError
from cardioflow.pipeline.data.leaks.tapes import tape_of


@pytest.fixture(scope="module")
def signals(cinc: Path) -> dict[str, np.ndarray]:
    """The signals in millivolts, at 300 Hz, of 60 records of CinC 2017."""
    records = EcgDataset(sorted(cinc.glob("*.hea"))[:60])
    batch = (records >> cardioflow.Pipeline().load(components="signal")).next_batch(60)
    return {name: np.array(signal) for name, signal in zip(batch.ids, batch.signal, strict=True)}


def dataset(signals: dict[str, np.ndarray], fs: float = 300.0) -> EcgDataset:
    return EcgDataset.from_arrays(list(signals.values()), fs=fs, ids=list(signals))


def test_other_people_raise_no_alarm(signals: dict[str, np.ndarray]) -> None:
    names = list(signals)
    train, test = dataset({n: signals[n] for n in names[:30]}), dataset({n: signals[n] for n in names[30:]})
    found = cardioflow.audit(train, test)
    assert found.leaks == ()
    assert str(found).startswith("0 leaks between 30 and 30 records")
    found.check()


def test_equal_samples_are_found(signals: dict[str, np.ndarray]) -> None:
    name = next(iter(signals))
    found = cardioflow.audit(dataset(signals), dataset({"copy": signals[name]}))
    assert [(leak.kind, leak.train, leak.test) for leak in found.leaks] == [("same samples", name, "copy")]


def test_copies_of_another_gain_and_rate_are_found(signals: dict[str, np.ndarray]) -> None:
    changed = {
        f"x{name}": scipy.signal.resample_poly(-0.4 * signal + 0.1, 5, 6, axis=-1).astype(np.float32)
        for name, signal in signals.items()
    }
    found = cardioflow.audit(dataset(signals), dataset(changed, fs=250.0))
    pairs = {(leak.train, leak.test) for leak in found.leaks}
    assert all(other == f"x{name}" for name, other in pairs)
    assert len(pairs) >= 58
    assert {leak.kind for leak in found.leaks} == {"same signal"}
    assert min(leak.correlation or 0 for leak in found.leaks) > 0.97


def test_excerpts_are_found_where_they_were_taken(signals: dict[str, np.ndarray]) -> None:
    long = {name: signal for name, signal in signals.items() if signal.shape[1] >= 9000}
    cut = {f"x{name}": signal[:, 3000:7500] for name, signal in long.items()}
    found = cardioflow.audit(dataset(long), dataset(cut))
    assert {leak.kind for leak in found.leaks} == {"overlap"}
    assert all(leak.test == f"x{leak.train}" for leak in found.leaks)
    assert len(found.leaks) >= 0.95 * len(long)
    for leak in found.leaks:
        assert leak.lag_s == pytest.approx(-10.0, abs=0.03)
        assert leak.overlap_s == pytest.approx(15.0, abs=0.1)


def test_filtered_and_noisy_copies_are_found(signals: dict[str, np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    sos = scipy.signal.butter(3, (0.5, 40), "bandpass", fs=300, output="sos")
    changed = {
        f"x{name}": (scipy.signal.sosfiltfilt(sos, s) + rng.normal(0, 0.1 * s.std(), s.shape)).astype(np.float32)
        for name, s in signals.items()
    }
    found = cardioflow.audit(dataset(signals), dataset(changed))
    assert all(leak.test == f"x{leak.train}" for leak in found.leaks)
    assert len(found.leaks) >= 54


def test_copies_within_one_data_set_make_groups_for_a_split(signals: dict[str, np.ndarray]) -> None:
    names = list(signals)[:12]
    own = {name: signals[name] for name in names}
    records = dataset({**own, "a": 2 * own[names[0]], "b": 3 * own[names[0]], "c": own[names[5]]})
    found = cardioflow.audit(records)
    assert {frozenset((leak.train, leak.test)) for leak in found.leaks} >= {frozenset((names[5], "c"))}
    groups = found.groups(records.ids)
    assert groups["a"] == groups["b"] == groups[names[0]]
    assert len(set(groups.values())) == 12
    with pytest.raises(LeakError, match=r"in 15 records\nkind +record +copy"):
        found.check()
    records.split(folds=4, groups=groups, check=True)


def test_a_split_is_checked_when_that_is_asked_for(signals: dict[str, np.ndarray]) -> None:
    names = list(signals)[:6]
    own = {name: signals[name] for name in names}
    records = dataset({**own, "copy": own[names[0]]})
    by = {**dict.fromkeys(names, "train"), "copy": "test"}
    with pytest.raises(LeakError, match=rf"same samples +{names[0]} +copy +train \| test"):
        records.split(by=by, check=True)
    assert records.split(by=by, check=True, exempt=[(names[0], "copy")]).names == ("test", "train")


def test_a_checked_split_reads_files_that_do_not_tell_their_rate(
    signals: dict[str, np.ndarray], tmp_path: Path
) -> None:
    for name, signal in zip("abc", [*list(signals.values())[:2], next(iter(signals.values()))], strict=True):
        np.save(tmp_path / f"{name}.npy", signal)
    records = EcgDataset(tmp_path / "*.npy")
    by = {"a": "train", "b": "train", "c": "test"}
    with pytest.raises(LeakError, match=r"same samples +a +c"):
        records.split(by=by, check={"fmt": "npy", "fs": 300})
    with pytest.raises(errors.FormatError, match="fs"):
        records.split(by=by, check=True)


def test_a_patient_in_both_parts_is_one_leak_with_its_counts() -> None:
    records = EcgDataset(
        {f"r{i}": f"r{i}.hea" for i in range(6)},
        table={"id": [f"r{i}" for i in range(6)], "patient": ["p", "p", "q", None, "p", None]},
    )
    train, test = records.split(by={"r0": 0, "r1": 0, "r2": 0, "r3": 0, "r4": 1, "r5": 1})
    (leak,) = cardioflow.audit(train, test, signals=False).leaks
    assert (leak.kind, leak.train, leak.test, leak.what) == ("same patient", "r0", "r4", "p (2 and 1 records)")
    assert cardioflow.audit(train, test, signals=False, exempt=["p"]).leaks == ()


def test_a_record_in_both_parts_is_named() -> None:
    records = EcgDataset({"a": "a.hea", "b": "b.hea"})
    (leak,) = cardioflow.audit(records, records.subset(["b"]), signals=False).leaks
    assert (leak.kind, leak.train) == ("same record", "b")


@pytest.mark.parametrize(
    ("database", "record", "tape"),
    [
        ("qtdb", "sel100", "mitdb/100"),
        ("qtdb", "sele0104", "edb/e0104"),
        ("qtdb", "sel803", "svdb/803"),
        ("qtdb", "sel14046", "ltdb/14046"),
        ("qtdb", "sel16265", "nsrdb/16265"),
        ("qtdb", "sel301", "stdb/301"),
        ("qtdb", "sel30", "sddb/30"),
        ("qtdb", "sel17152", None),
        ("mitdb", "202", "mitdb/201"),
        ("nstdb", "119e_6", "mitdb/119"),
        ("cinc2021", "HR00001", "ptbxl/00001"),
        ("ptbxl", "00001_lr", "ptbxl/00001"),
        ("cinc2020", "A0001", "cpsc2018/A0001"),
        (None, "100", None),
    ],
)
def test_records_of_public_databases_are_known_by_their_tapes(database: str, record: str, tape: str) -> None:
    assert tape_of(database, record) == tape


def test_the_origins_of_qtdb_are_those_of_its_table(data: Path) -> None:
    # From the table of records in QTDB's documentation: how many come from where.
    names = (data / "qtdb").glob("*.hea")
    known = [tape_of("qtdb", path.stem) for path in names]
    assert known
    assert all(
        tape is None or tape.split("/")[0] in {"mitdb", "edb", "svdb", "ltdb", "nsrdb", "stdb", "sddb"}
        for tape in known
    )


def test_one_subject_in_ds1_and_ds2_is_exempt_by_name() -> None:
    ds1 = EcgDataset({"101": "101.hea", "201": "201.hea"})
    ds2 = EcgDataset({"100": "100.hea", "202": "202.hea"})
    given = {"signals": False, "databases": ("mitdb", "mitdb")}
    (leak,) = cardioflow.audit(ds1, ds2, **given).leaks
    assert (leak.kind, leak.train, leak.test) == ("same tape", "201", "202")
    found = cardioflow.audit(ds1, ds2, exempt=["mitdb-201-202"], **given)
    assert found.leaks == ()
    assert found.exempted[0].exempt == "mitdb-201-202"
    assert "exempt (mitdb-201-202): same tape" in str(found)
    with pytest.raises(UnknownNameError, match=r"no tapes are known of 'mitbd'\. Did you mean 'mitdb'"):
        cardioflow.audit(ds1, ds2, databases=("mitbd", None))


def test_what_could_not_be_compared_is_listed(signals: dict[str, np.ndarray], tmp_path: Path) -> None:
    (tmp_path / "bad.hea").write_text("bad 1 300 100\nbad.dat 16 200 12 0 0 0 0 ECG\n")
    (tmp_path / "bad.dat").write_bytes(b"")
    name = next(iter(signals))
    records = dataset({"flat": np.zeros((1, 3000), np.float32), "short": signals[name][:, :300]})
    joined = records + EcgDataset(tmp_path / "bad.hea")
    found = cardioflow.audit(joined, dataset({"x": signals[name]}), on_error="skip")
    assert set(found.silent) == {"flat", "short"}
    assert [own.record for own in found.skipped] == ["bad"]
    assert "Not read: 1 record (bad)" in str(found)
    with pytest.raises(errors.FormatError, match="bad"):
        cardioflow.audit(joined)


def test_flat_records_of_the_same_bytes_are_equal_samples() -> None:
    flat = np.zeros((2, 3000), np.float32)
    found = cardioflow.audit(dataset({"a": flat, "b": flat, "c": flat[:1], "d": flat}))
    assert [(leak.train, leak.test) for leak in found.leaks] == [("a", "b"), ("a", "d")]


def test_one_lead_alike_is_no_copy_of_several(signals: dict[str, np.ndarray]) -> None:
    long = [signal[0, :9000] for signal in signals.values() if signal.shape[1] >= 9000][:3]
    gain = np.float32(1.1)
    one = {"a": np.stack([long[0], long[1], long[2]])}
    assert (
        cardioflow.audit(dataset(one), dataset({"b": np.stack([gain * long[0], long[2] + long[1], -long[0]])})).leaks
        == ()
    )
    assert len(cardioflow.audit(dataset(one), dataset({"b": gain * one["a"]})).leaks) == 1


def test_the_table_goes_to_pandas_and_the_audit_through_a_pickle(signals: dict[str, np.ndarray]) -> None:
    name = next(iter(signals))
    found = cardioflow.audit(dataset(signals), dataset({"x": 2 * signals[name]}))
    frame = pd.DataFrame(found.rows())
    assert frame.loc[0, ["kind", "train", "test"]].tolist() == ["same signal", name, "x"]
    assert pickle.loads(pickle.dumps(found)) == found
