"""Leads with different rates in one record: the caller chooses channels, one of the rates, or a common one."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import scipy.signal

from cardioflow import EcgBatch, EcgDataset
from cardioflow.errors import FormatError, InputError, MixedRatesError


@pytest.fixture
def mixed(tmp_path: Path) -> EcgDataset:
    """A WFDB record: a and c at 125 Hz, b at 500 Hz, 4 s, and one mark at the second second."""
    rng = np.random.default_rng(0)
    slow, fast = rng.integers(-900, 900, (2, 500)), rng.integers(-900, 900, (500, 4))
    frames = np.column_stack([slow[0], fast, slow[1]]).astype("<i2")
    (tmp_path / "r.dat").write_bytes(frames.tobytes())
    (tmp_path / "r.hea").write_text(
        "r 3 125 500\nr.dat 16 1000 0 0 0 0 0 a\nr.dat 16x4 1000 0 0 0 0 0 b\nr.dat 16 1000 0 0 0 0 0 c\n"
    )
    (tmp_path / "r.atr").write_bytes((1 << 10 | 250).to_bytes(2, "little") + bytes(2))
    return EcgDataset(tmp_path / "r.hea")


def _load(records: EcgDataset, **options: object) -> EcgBatch:
    wanted = ["signal", "meta", "annotation"]
    found: EcgBatch = records.batch([0]).load(fmt="wfdb", components=wanted, **options)  # type: ignore[arg-type]
    return found


def test_an_error_without_a_selection_lists_the_rates_and_remedies(mixed: EcgDataset) -> None:
    with pytest.raises(
        MixedRatesError, match=r"\['a', 'c'\] at 125 Hz; \['b'\] at 500 Hz\. Choose .*common_fs="
    ) as caught:
        _load(mixed)
    assert caught.value.rates == {0: 125.0, 1: 500.0, 2: 125.0}
    assert caught.value.groups == ((0, 2), (1,))
    assert pickle.loads(pickle.dumps(caught.value)).groups == ((0, 2), (1,))


def test_a_group_is_the_leads_of_one_rate(mixed: EcgDataset) -> None:
    slow, fast = _load(mixed, group=0), _load(mixed, group=1)
    assert (slow.meta[0]["leads"], slow.fs[0], slow.annotation[0].sample.tolist()) == (("a", "c"), 125.0, [250])
    assert (fast.meta[0]["leads"], fast.fs[0], fast.annotation[0].sample.tolist()) == (("b",), 500.0, [1000])
    with pytest.raises(FormatError, match="has 2 rates, so there is no group 2"):
        _load(mixed, group=2)


def test_a_common_rate_resamples_and_keeps_the_order_of_leads(mixed: EcgDataset) -> None:
    batch, slow, fast = _load(mixed, common_fs=250), _load(mixed, group=0), _load(mixed, group=1)
    assert batch.signal[0].shape == (3, 1000)
    assert (batch.meta[0]["leads"], batch.meta[0]["signame"], batch.fs[0]) == (("a", "b", "c"), ("a", "b", "c"), 250.0)
    assert batch.annotation[0].sample.tolist() == [500]
    for row, own, up, down in (
        (0, slow.signal[0][0], 2, 1),
        (1, fast.signal[0][0], 1, 2),
        (2, slow.signal[0][1], 2, 1),
    ):
        np.testing.assert_allclose(batch.signal[0][row], scipy.signal.resample_poly(own, up, down), atol=2e-5)


def test_selected_channels_keep_the_given_order(mixed: EcgDataset) -> None:
    assert _load(mixed, channels=("b", "a"), common_fs=125).meta[0]["leads"] == ("b", "a")


def test_a_record_of_one_rate_is_left_as_it_is(cinc: Path) -> None:
    records = EcgDataset(cinc / "A00015.hea")
    assert records.batch([0]).load(fmt="wfdb", common_fs=100).signal == records.batch([0]).load(fmt="wfdb").signal


def test_a_monitors_ecg_and_pressures_come_at_one_rate(data: Path) -> None:
    file = next((data / "formats" / "mfer").iterdir())
    ecg = EcgDataset([file]).batch([0]).load()
    names = [*ecg.meta[0]["signame"], *(name for name, _, _ in ecg.meta[0]["other_channels"])]
    batch = EcgDataset([file]).batch([0]).load(channels=names, common_fs=250)
    assert batch.signal[0].shape[0] == len(names) > len(ecg.meta[0]["leads"])
    assert batch.fs[0] == 250.0


def test_two_choices_at_once_and_no_rate_are_refused_when_written(mixed: EcgDataset) -> None:
    with pytest.raises(InputError, match=r"common_fs=250: group=0 beside it"):
        _load(mixed, common_fs=250, group=0)
    with pytest.raises(InputError, match=r"common_fs=0: expected more than 0 Hz"):
        _load(mixed, common_fs=0)


def test_marks_of_single_leads_stay_with_them(mixed: EcgDataset) -> None:
    folder = Path(mixed.paths[0]).parent
    marks = b"".join(
        word.to_bytes(2, "little") for word in (39 << 10 | 250, 62 << 10 | 2, 40 << 10 | 10, 62 << 10 | 1, 0)
    )
    (folder / "r.atr").write_bytes(marks)
    together = _load(mixed, common_fs=250).annotation[0]
    assert list(zip(together.symbol, together.sample.tolist(), together.channel.tolist(), strict=True)) == [
        ("(", 500, 3),
        (")", 520, 2),
    ]
    assert _load(mixed, group=0).annotation[0].channel.tolist() == [2]
