"""Limb leads by their definitions, and checks of a batch beside those of single records."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.amplitude import amplitude_warnings, suspect_amplitudes
from cardioflow.dsp.leads import check_limb_leads, derive_limb_leads, suspect_swapped_electrodes
from cardioflow.dsp.limb_kernels import law_residual, law_residuals, suspected_swap, suspected_swaps
from cardioflow.dsp.simulate import SIMULATED_LEADS, simulate_ecg

# The potentials of right arm, left arm and left leg: leads are differences of them.
RA, LA, LL = np.random.default_rng(5).normal(size=(3, 40))
CENTRE = (RA + LA + LL) / 3
DEFINED = {
    "I": LA - RA,
    "II": LL - RA,
    "III": LL - LA,
    # Goldberger: an electrode against the mean of the other two.
    "aVR": RA - (LA + LL) / 2,
    "aVL": LA - (RA + LL) / 2,
    "aVF": LL - (RA + LA) / 2,
}


def test_derived_leads_are_the_differences_of_potentials():
    whole, leads, made = derive_limb_leads(np.stack([DEFINED["I"], DEFINED["II"]]), ["I", "II"])
    assert made == ("III", "aVR", "aVL", "aVF")
    for name, row in zip(leads, whole, strict=True):
        np.testing.assert_allclose(row, DEFINED[name], atol=1e-12)
    # aVR is 3/2 of the potential against Wilson's terminal.
    np.testing.assert_allclose(whole[leads.index("aVR")], 1.5 * (RA - CENTRE), atol=1e-12)


@pytest.mark.parametrize(
    ("leads", "order"),
    [
        (["I", "II"], ("I", "II", "III", "aVR", "aVL", "aVF")),
        (["II", "I"], ("I", "II", "III", "aVR", "aVL", "aVF")),
        (["V1", "I", "II", "V2"], ("V1", "I", "II", "III", "aVR", "aVL", "aVF", "V2")),
        (["II", "V1", "I"], ("V1", "I", "II", "III", "aVR", "aVL", "aVF")),
        (["I", "V1", "aVF", "II"], ("I", "II", "III", "aVR", "aVL", "aVF", "V1")),
    ],
)
def test_the_six_stand_together_where_lead_i_stood_and_others_keep_their_samples(leads, order):
    signal = np.arange(len(leads) * 3, dtype=np.float32).reshape(-1, 3)
    whole, found, _ = derive_limb_leads(signal, leads)
    assert found == order
    assert whole.dtype == np.float32
    for name, row in zip(leads, signal, strict=True):
        np.testing.assert_array_equal(whole[found.index(name)], row)


def test_with_all_six_nothing_is_computed_even_where_they_break_the_law():
    signal = np.ones((6, 4))
    whole, leads, made = derive_limb_leads(signal, list(DEFINED))
    assert whole is signal
    assert (leads, made) == (tuple(DEFINED), ())


def test_a_missing_sample_of_either_lead_is_missing_in_those_that_follow():
    signal = np.stack([DEFINED["I"], DEFINED["II"]])
    signal[0, 3] = np.nan
    signal[1, 7] = np.nan
    whole, leads, _ = derive_limb_leads(signal, ["I", "II"])
    for name in ("III", "aVR", "aVL", "aVF"):
        assert np.flatnonzero(np.isnan(whole[leads.index(name)])).tolist() == [3, 7]


@pytest.mark.parametrize("step", [0.001, 0.00488, 0.005])
def test_leads_in_whole_steps_give_whole_half_steps(step):
    counts = np.random.default_rng(0).integers(-2000, 2000, (2, 500))
    whole, leads, made = derive_limb_leads((counts * step).astype(np.float32), ["I", "II"], step)
    one, two = counts
    expected = {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    for name in made:
        np.testing.assert_array_equal(whole[leads.index(name)], (expected[name] * step).astype(np.float32))


def test_the_residual_of_a_law_by_hand():
    # I = (1, -1), II = (1, -1), III = (2, -2): I + III - II = (2, -2), of RMS 2; that of the leads is √((1+1+4)/3).
    signal = np.array([[1, -1], [1, -1], [2, -2]], np.float32)
    assert check_limb_leads(signal, ["I", "II", "III"]).einthoven == pytest.approx(2 / np.sqrt(2))
    assert check_limb_leads(signal[[1, 0, 2]], ["II", "I", "III"]).einthoven == pytest.approx(2 / np.sqrt(2))


@pytest.mark.parametrize("gain", [1e-4, 1.0, 1000.0])
def test_the_residual_does_not_depend_on_the_gain(gain):
    signal = np.stack([DEFINED[name] for name in ("I", "II", "III")])
    signal[2] += 0.3 * np.sin(np.arange(40))
    plain = check_limb_leads(signal, ["I", "II", "III"]).einthoven
    assert check_limb_leads(gain * signal, ["I", "II", "III"]).einthoven == pytest.approx(plain, rel=1e-9)


def test_each_law_needs_its_three_leads():
    signal = np.stack(list(DEFINED.values()))
    found = check_limb_leads(signal, list(DEFINED))
    assert (found.einthoven, found.goldberger) == pytest.approx((0, 0), abs=1e-9)
    assert check_limb_leads(signal[:2], ["I", "II"]).einthoven is None
    assert check_limb_leads(signal[:5], ["I", "II", "III", "aVR", "aVL"]).goldberger is None


def swapped(simulation, swap):
    """Lead I and II of a simulated ECG after electrodes were exchanged, with V6, which hardly changes."""
    one, two, lateral = simulation.signal
    return {
        None: (one, two),
        # Exchanged potentials in LA - RA and LL - RA.
        "RA/LA": (-one, two - one),
        "RA/LL": (one - two, -two),
        "LA/LL": (two, one),
        # Both legs have one potential: against the right leg, lead II is the far field between the legs.
        "RA/RL": (one - two, 0.02 * two),
        "LA/RL": (two, 1.02 * two),
    }[swap] + (lateral,)


@pytest.mark.parametrize("swap", [None, "RA/LA", "RA/LL", "RA/RL", "LA/RL"])
@pytest.mark.parametrize("key", [0, 1])
def test_swaps_of_a_simulated_ecg_are_told_by_what_they_do_to_the_potentials(swap, key):
    leads = ["I", "II", "V6"]
    signal = np.stack(swapped(simulate_ecg(key, leads=leads, duration_s=10), swap))
    assert suspect_swapped_electrodes(signal, leads) == swap
    order = [2, 0, 1]
    assert suspect_swapped_electrodes(signal[order], [leads[k] for k in order]) == swap


def test_a_swap_of_left_arm_and_leg_looks_normal_and_is_not_guessed():
    leads = ["I", "II", "V6"]
    signal = np.stack(swapped(simulate_ecg(1, leads=leads, duration_s=10), "LA/LL"))
    assert suspect_swapped_electrodes(signal, leads) is None


def test_offsets_and_missing_samples_do_not_make_a_swap():
    leads = ["I", "II", "V6"]
    signal = simulate_ecg(2, leads=leads, duration_s=10).signal + np.array([[5], [-3], [80]], np.float32)
    signal[1, 300:600] = np.nan
    assert suspect_swapped_electrodes(signal, leads) is None


def batch():
    """Four records of other lengths and leads, in one flat buffer."""
    sims = [simulate_ecg(k, leads=SIMULATED_LEADS[:12], duration_s=4 + k).signal for k in range(3)]
    sims[1][2] *= -1  # III against Einthoven
    sims[2][[0, 1]] = np.stack([-sims[2][0], sims[2][1] - sims[2][0]])  # RA and LA
    records = [*sims, simulate_ecg(9, leads=("V1",), duration_s=3).signal]
    shapes = np.array([r.shape for r in records])
    begins = np.concatenate([[0], np.cumsum(shapes.prod(axis=1))[:-1]])
    return records, np.concatenate([r.ravel() for r in records]), shapes, begins


def test_a_batch_is_checked_record_by_record():
    records, data, shapes, begins = batch()
    terms = np.array([[0, 1, 2]] * 3 + [[-1, -1, -1]])
    found = law_residuals(data, begins, shapes[:, 1], terms, np.full(4, -1.0))
    expected = [law_residual(r, 0, 1, 2, -1.0) for r in records[:3]]
    assert found.tolist() == pytest.approx([*expected, np.nan], nan_ok=True)
    assert found[0] < 1e-3
    assert found[1] > 0.5
    limbs = np.array([[0, 1, 11]] * 3 + [[-1, -1, -1]])
    swaps = suspected_swaps(data, begins, shapes[:, 1], limbs)
    assert swaps.tolist() == [suspected_swap(r[0], r[1], r[11]) for r in records[:3]] + [0]
    assert swaps[2] == 4


def test_without_v6_a_batch_is_judged_by_flat_leads_alone():
    records, data, shapes, begins = batch()
    limbs = np.array([[0, 1, -1]] * 3 + [[-1, -1, -1]])
    assert suspected_swaps(data, begins, shapes[:, 1], limbs).tolist() == [0, 0, 0, 0]
    records[0][1] = 0.01
    data = np.concatenate([r.ravel() for r in records])
    assert suspected_swaps(data, begins, shapes[:, 1], limbs).tolist() == [1, 0, 0, 0]


def test_records_with_amplitudes_that_no_ecg_has_are_picked_out_of_a_batch():
    records, _, shapes, _ = batch()
    records[1][5] *= 1000  # microvolts taken for millivolts
    records[3] *= 1e-5
    records[2][4, 0] = np.nan
    found = suspect_amplitudes(np.concatenate([r.ravel() for r in records]), shapes).tolist()
    # A missing sample asks for the second look, which finds nothing.
    assert found == [1, 2, 3]
    said = [amplitude_warnings(r, SIMULATED_LEADS[: len(r)], ["mV"] * len(r)) for r in records]
    assert [bool(text) for text in said] == [False, True, False, True]
    assert said[1][0].startswith("RMS above 20 mV: aVF ")
    assert said[3][0].startswith("RMS below 1 µV: I ")


def test_records_without_samples_or_leads_are_not_suspect():
    assert amplitude_warnings(np.empty((1, 0), np.float32), ["I"], ["mV"]) == ()
    assert amplitude_warnings(np.empty((0, 10), np.float32), [], []) == ()
    assert suspect_amplitudes(np.empty(0, np.float32), np.empty((0, 2), np.int64)).tolist() == []
