"""What is wrong with a record is said with its name, the step and the remedy; with "skip" the run goes on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import CardioFlowError, ConfigError, FormatError, InputError

RECORDS = ("A00015", "A00017", "A00041")


@pytest.fixture
def folder(cinc: Path, tmp_path: Path) -> Path:
    for name in RECORDS:
        for ending in (".hea", ".mat"):
            shutil.copy(cinc / f"{name}{ending}", tmp_path)
    return tmp_path


def _signal_missing(folder: Path) -> None:
    (folder / "A00017.mat").unlink()


def _header_missing(folder: Path) -> None:
    (folder / "A00017.hea").unlink()


def _truncated(folder: Path) -> None:
    path = folder / "A00017.mat"
    path.write_bytes(path.read_bytes()[:1000])


def _wrong_count(folder: Path) -> None:
    path = folder / "A00017.hea"
    text = path.read_text().splitlines()
    first = text[0].split(" ")
    first[3] = "9999999"
    path.write_text("\n".join([" ".join(first), *text[1:]]) + "\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_signal_missing, r"A00017\.mat"),
        (_header_missing, r"A00017\.hea"),
        (_truncated, r"A00017\.mat"),
        (_wrong_count, r"9999999"),
    ],
)
def test_a_bad_file_ends_the_run_or_is_left_out(folder: Path, spoil: Callable[[Path], None], said: str) -> None:
    records = EcgDataset([folder / f"{name}.hea" for name in RECORDS])
    spoil(folder)
    bound = records >> Pipeline().load(fmt="wfdb", components=["signal", "meta"])
    with pytest.raises(FormatError, match=said) as caught:
        bound.run(batch_size=2)
    assert caught.value.record == "A00017"
    assert "step 1, load(fmt='wfdb'" in str(caught.value)
    run = bound.batches(2, on_error="skip")
    assert [i for batch in run for i in batch.ids] == ["A00015", "A00041"]
    assert [(s.record, type(s.reason)) for s in run.skipped] == [("A00017", FormatError)]


@pytest.fixture
def three(folder: Path) -> EcgDataset:
    return EcgDataset([folder / f"{name}.hea" for name in RECORDS])


def _labelled(spoil: Callable[[np.ndarray], np.ndarray] | None = None) -> Pipeline:
    pipeline = Pipeline().load(fmt="wfdb", components=["signal", "meta"])
    if spoil is not None:
        pipeline = pipeline.apply_transform(spoil)
    labels = dict(zip(RECORDS, ("A", "N", "A"), strict=True))
    return pipeline.load(src=labels, components="target").binarize_labels()


def _fails(bound: Pipeline, kind: type[CardioFlowError], said: str) -> None:
    with pytest.raises(kind, match=said):
        bound.run(batch_size=3)


def test_nan_is_refused_by_filters_and_by_models(three: EcgDataset) -> None:
    spoil = _spoilt_record(three, "A00017", np.nan)
    _fails(three >> _labelled(spoil).band_pass_signals(0.5, 40), InputError, r"NaN.*A00017|A00017.*NaN")
    cut = _labelled(spoil).split_signals(2000, 2000)
    _fails(three >> cut.train_on_batch("fft_inception"), InputError, r"NaN.*A00017|A00017.*NaN")
    run = (three >> cut.standardize()).batches(3, on_error="skip")
    assert [i for b in run for i in b.ids] == ["A00015", "A00041"]
    assert [s.record for s in run.skipped] == ["A00017"]


def _spoilt_record(three: EcgDataset, name: str, value: float) -> Callable[[np.ndarray], np.ndarray]:
    original = three.subset([name]).next_batch(1).load(fmt="wfdb").signal[0]

    def spoil(signal: np.ndarray) -> np.ndarray:
        return np.full_like(signal, value) if np.array_equal(signal, original) else signal

    return spoil


def test_a_flat_lead_stays_finite_through_standardizing_and_training(three: EcgDataset) -> None:
    pipeline = _labelled(_spoilt_record(three, "A00017", 0.25)).split_signals(2500, 2500).standardize()
    run = (three >> pipeline.train_on_batch("fft_inception")).run(batch_size=3)
    assert np.isfinite(run.get_variable("fft_inception.train_loss")).all()


def test_signals_of_different_length_given_to_a_model_say_to_cut_first(three: EcgDataset) -> None:
    _fails(
        three >> _labelled().train_on_batch("fft_inception"), InputError, r"split_signals.*\[.*step 4, train_on_batch"
    )


# Keras calls np.array on TensorFlow variables, which do not know NumPy 2's copy keyword yet.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_labels_unknown_to_the_model_are_refused(three: EcgDataset, tmp_path: Path) -> None:
    cut = _labelled().split_signals(2500, 2500)
    trained = (three >> cut.train_on_batch("fft_inception")).run(batch_size=3)
    trained.save_model("fft_inception", tmp_path / "dump")
    other = dict(zip(RECORDS, ("A", "N", "O"), strict=True))
    config: dict[str, Any] = {"fft_inception": {"path": tmp_path / "dump"}}
    again = (
        Pipeline(config=config)
        .load(fmt="wfdb")
        .load(src=other, components="target")
        .binarize_labels()
        .split_signals(2500, 2500)
        .test_on_batch("fft_inception")
    )
    with pytest.raises(CardioFlowError, match=r"'A', 'N', 'O'"):
        (three >> again).run(batch_size=3)


def test_on_a_batch_the_first_bad_record_is_raised_and_the_others_are_noted(folder: Path) -> None:
    records = EcgDataset([folder / f"{name}.hea" for name in RECORDS])
    for name in RECORDS[1:]:
        (folder / f"{name}.mat").unlink()
    with pytest.raises(FormatError, match=r"A00017\.mat") as caught:
        records.next_batch(3).load(fmt="wfdb")
    assert caught.value.__notes__ == ["1 more record of the batch failed: A00041"]


def test_a_batch_none_of_whose_records_can_be_read_is_passed_over(folder: Path) -> None:
    records = EcgDataset([folder / f"{name}.hea" for name in RECORDS])
    for name in RECORDS:
        (folder / f"{name}.mat").unlink()
    run = (records >> Pipeline().load(fmt="wfdb").standardize()).run(batch_size=2, on_error="skip")
    assert (len(run.skipped), run.n_empty) == (3, 2)


def test_records_without_a_path_are_skipped_together(folder: Path) -> None:
    records = EcgDataset([folder / f"{name}.hea" for name in RECORDS])
    template = Pipeline().load(src={RECORDS[1]: folder / f"{RECORDS[1]}.hea"}, fmt="wfdb")
    with pytest.raises(InputError, match=r"load\(src=…\) has no path for record 'A00015'\. Add it to the mapping"):
        (records >> template).run(batch_size=3)
    run = (records >> template).run(batch_size=3, on_error="skip")
    assert [s.record for s in run.skipped] == [RECORDS[0], RECORDS[2]]


def test_a_batch_size_that_no_batch_can_have_is_refused() -> None:
    few = EcgDataset.simulated(3, fs=100, duration_s=2)
    template = Pipeline().load(fmt="simulated")
    with pytest.raises(InputError, match=r"holds 3 records, which do not fill one batch of 4\. Pass drop_last=False"):
        (few >> template).run(4, drop_last=True)
    assert len((few >> template).run(4).skipped) == 0


def test_an_argument_that_run_does_not_take_is_refused_without_a_dataset() -> None:
    for arguments in ({"epochs": 3}, {"batch_size": 4, "epochs": 3}):
        with pytest.raises(ConfigError, match="epochs"):
            Pipeline().load(fmt="simulated").run(**arguments)


def test_a_path_with_brackets_is_the_file_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "a[1]").mkdir()
    (tmp_path / "a1").mkdir()
    for folder in ("a[1]", "a1"):
        np.savez(
            tmp_path / folder / "r[0].npz", signal=np.zeros((1, 500), np.float32), fs=250.0, leads=np.array(["II"])
        )
    for path in (str(tmp_path / "a[1]" / "r[0].npz"), str(tmp_path / "a[1]" / "*.npz")):
        assert len(EcgDataset(path)) == 1
