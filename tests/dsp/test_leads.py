from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cardioflow.batch.leads import standard_name
from cardioflow.dsp.leads import check_limb_leads, derive_limb_leads, suspect_swapped_electrodes

Array = NDArray[np.float64]


def _ptbxl(data: Path) -> list[tuple[Array, list[str]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wfdb's tables are built with a call that pandas 3.1 deprecates
        import wfdb
    found = []
    for header in sorted((data / "ptbxl").rglob("*_lr.hea")):
        record = wfdb.rdrecord(str(header.with_suffix("")))
        found.append((record.p_signal.T, [standard_name(name) for name in record.sig_name]))
    assert len(found) == 60
    return found


def test_the_derived_leads_equal_those_the_device_stored(data: Path) -> None:
    for signal, leads in _ptbxl(data)[:10]:
        kept = [leads.index(name) for name in ("V1", "I", "II", "V6")]
        whole, order, made = derive_limb_leads(signal[kept], [leads[i] for i in kept])
        assert order == ("V1", "I", "II", "III", "aVR", "aVL", "aVF", "V6")
        assert made == ("III", "aVR", "aVL", "aVF")
        # PTB-XL stores 1 µV steps, each lead rounded by itself.
        assert np.abs(whole - signal[[leads.index(name) for name in order]]).max() <= 0.002 + 1e-9


def test_only_missing_leads_are_computed() -> None:
    signal = np.array([[1.0], [2.0], [9.0]])
    whole, order, made = derive_limb_leads(signal, ["II", "I", "aVR"])
    assert order == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert made == ("III", "aVL", "aVF")
    assert whole[order.index("aVR"), 0] == 9.0


def test_without_i_and_ii_nothing_is_derived() -> None:
    signal = np.ones((2, 3))
    whole, order, made = derive_limb_leads(signal, ["II", "V1"])
    assert whole is signal
    assert (order, made) == (("II", "V1"), ())


def test_ptbxl_obeys_einthoven_and_goldberger(data: Path) -> None:
    checks = [check_limb_leads(signal, leads) for signal, leads in _ptbxl(data)]
    assert max(check.einthoven or 0.0 for check in checks) < 0.01
    assert max(check.goldberger or 0.0 for check in checks) < 0.02


def test_an_inverted_lead_violates_einthovens_law(data: Path) -> None:
    signal, leads = _ptbxl(data)[0]
    wrong = signal.copy()
    wrong[leads.index("III")] *= -1
    check = check_limb_leads(wrong, leads)
    assert check.einthoven is not None
    assert check.einthoven > 0.5


def test_offsets_and_missing_samples_are_ignored() -> None:
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(2, 100))
    whole, leads, _ = derive_limb_leads(signal, ["I", "II"])
    whole += np.arange(6)[:, None]
    whole[0, :10] = np.nan
    check = check_limb_leads(whole, leads)
    assert check.einthoven == pytest.approx(0, abs=1e-6)
    assert check.goldberger == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("signal", [np.zeros((3, 5)), np.full((3, 5), np.nan), np.zeros((3, 0))])
def test_what_cannot_be_checked_is_none(signal: Array) -> None:
    check = check_limb_leads(signal, ["I", "II", "III"])
    assert (check.einthoven, check.goldberger) == (None, None)


def _swapped(signal: Array, leads: list[str], swap: Callable[[Array, Array], tuple[Array, Array]]) -> Array:
    first, second = swap(signal[leads.index("I")], signal[leads.index("II")])
    limb, order, _ = derive_limb_leads(np.stack([first, second]), ["I", "II"])
    other = signal.copy()
    for name, row in zip(order, limb, strict=True):
        other[leads.index(name)] = row
    return other


@pytest.mark.parametrize(
    ("name", "swap", "least"),
    [
        ("RA/LA", lambda i, ii: (-i, ii - i), 33),
        ("RA/LL", lambda i, ii: (i - ii, -ii), 25),
        # RA on the right leg: II becomes what is left between the legs.
        ("RA/RL", lambda i, ii: (i - ii, 0.02 * ii), 60),
        ("LA/RL", lambda i, ii: (ii, 1.02 * ii), 55),
    ],
)
def test_simulated_swaps_of_real_records_are_suspected(
    data: Path, name: str, swap: Callable[[Array, Array], tuple[Array, Array]], least: int
) -> None:
    found = [suspect_swapped_electrodes(_swapped(signal, leads, swap), leads) for signal, leads in _ptbxl(data)]
    assert found.count(name) >= least


def test_unchanged_records_are_hardly_ever_suspected(data: Path) -> None:
    found = [suspect_swapped_electrodes(signal, leads) for signal, leads in _ptbxl(data)]
    assert sum(f is not None for f in found) <= 1


def test_too_few_leads_suspect_nothing() -> None:
    assert suspect_swapped_electrodes(np.zeros((1, 10)), ["II"]) is None
