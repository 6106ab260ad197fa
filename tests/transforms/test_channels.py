"""Channels are selected by name, group and number; derived leads obey their laws; units agree with pint's."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset
from cardioflow.errors import InputError

LEADS = ("I", "II", "V1", "V6")


@pytest.fixture(scope="module")
def ptbxl(data):
    paths = sorted((data / "ptbxl").rglob("*_lr.hea"))[:5]
    return EcgDataset(paths).next_batch(5).load(fmt="wfdb", components=["signal", "meta"])


@pytest.fixture
def batch(make):
    return make(np.arange(12.0).reshape(4, 3), 20 + np.arange(8.0).reshape(4, 2), leads=LEADS)


def test_channels_are_kept_by_name_group_and_number_in_record_order(batch):
    done = batch.keep_channels(["v6", "I"])
    assert done.meta[0]["leads"] == ("I", "V6")
    np.testing.assert_array_equal(done.signal[1], batch.signal[1][[0, 3]])
    assert batch.keep_channels("V1", indices=[-1, 0]).meta[0]["leads"] == ("I", "V1", "V6")


def test_groups_stand_for_their_leads(twelve):
    assert twelve.keep_channels("limb").meta[0]["leads"] == ("I", "II", "III", "aVR", "aVL", "aVF")
    assert twelve.drop_channels("limb").meta[0]["leads"] == ("V1", "V2", "V3", "V4", "V5", "V6")
    np.testing.assert_array_equal(twelve.drop_channels("precordial").signal[2], twelve.signal[2][:6])


def test_channels_are_dropped_with_their_names_and_units(batch):
    done = batch.drop_channels("II", indices=[3])
    assert done.meta[0]["leads"] == ("I", "V1")
    assert done.meta[0]["units"] == ("mV", "mV")
    np.testing.assert_array_equal(done.signal[0], batch.signal[0][[0, 2]])


def test_channels_are_reordered_and_the_others_dropped(batch):
    done = batch.reorder_channels(["V6", "II"])
    assert done.meta[0]["leads"] == ("V6", "II")
    np.testing.assert_array_equal(done.signal[0], batch.signal[0][[3, 1]])


def test_channels_are_selected_in_segments(batch):
    cut = batch.split_signals(1)
    np.testing.assert_array_equal(cut.keep_channels("V1").signal[0], cut.signal[0][:, 2:3])


def test_channels_are_renamed_and_absent_names_ignored(batch):
    assert batch.rename_channels({"v1": "C1", "ECG": "I"}).meta[0]["leads"] == ("I", "II", "C1", "V6")


def test_two_channels_with_the_same_name_are_refused(batch):
    with pytest.raises(InputError) as caught:
        batch.take([0]).rename_channels({"II": "I"})
    assert str(caught.value) == (
        "rename_channels(rename_dict={'II': 'I'}) gives two channels of record 'A00000' the name 'I'. "
        "Drop one of them first."
    )


@pytest.mark.parametrize("action", ["drop_channels", "keep_channels"])
def test_an_error_for_an_unknown_channel_lists_the_existing_ones(batch, action):
    with pytest.raises(InputError) as caught:
        getattr(batch.take([0]), action)("V9")
    assert str(caught.value).startswith(f"{action}: ")
    assert "'V9'" in str(caught.value)
    assert "'I', 'II', 'V1', 'V6'" in str(caught.value)
    assert caught.value.record == "A00000"


@pytest.mark.parametrize("action", ["drop_channels", "keep_channels"])
def test_an_empty_selection_is_refused_at_once(batch, action):
    with pytest.raises(InputError) as caught:
        getattr(batch, action)()
    assert str(caught.value) == f"{action}() does not choose a channel. Pass names, indices or both."


def test_dropping_every_channel_is_refused(batch):
    with pytest.raises(InputError) as caught:
        batch.drop_channels(LEADS)
    assert str(caught.value).endswith("leaves no channel of record 'A00000'. Keep one, or leave the record out.")


def test_channels_without_names_are_chosen_by_number(make):
    batch = make(np.ones((2, 3)))
    assert batch.keep_channels(indices=1).signal[0].shape == (1, 3)
    with pytest.raises(InputError, match=r"meta\['leads'\] has none. Choose channels by indices instead"):
        batch.keep_channels("I")


def test_derived_leads_equal_the_recorded_ones(ptbxl):
    twelve = ptbxl
    eight = twelve.keep_channels(["I", "II", "precordial"])
    done = eight.derive_leads()
    assert done.meta[0]["leads"] == twelve.meta[0]["leads"]
    assert done.meta[0]["units"] == ("mV",) * 12
    # PTB-XL's own leads were filtered each by itself, and stored in steps of 1 µV.
    assert np.median(np.abs(done.signal.dense() - twelve.signal.dense())) < 0.002
    first, second, third, right, left, foot = np.moveaxis(done.signal.dense()[:, :6].astype(float), 1, 0)
    np.testing.assert_allclose(third, second - first, atol=1e-6)
    np.testing.assert_allclose(right + left + foot, 0, atol=1e-5)


def test_leads_are_derived_in_segments_too(twelve):
    cut = twelve.keep_channels(["I", "II"]).split_signals(1000)
    np.testing.assert_array_equal(
        cut.derive_leads().signal[1], twelve.keep_channels(["I", "II"]).derive_leads().split_signals(1000).signal[1]
    )


def test_leads_cannot_be_derived_without_both_i_and_ii(twelve):
    with pytest.raises(InputError, match=r"its leads are I, V1, and the limb leads follow from I and II"):
        twelve.take([0]).keep_channels(["I", "V1"]).derive_leads()


def test_derived_leads_are_in_the_unit_of_i_and_ii_whatever_the_first_channel_is_in():
    signal = np.arange(9, dtype=np.float32).reshape(1, 3, 3)
    batch = EcgBatch.from_arrays(signal, fs=250, leads=("Resp", "I", "II"), units=("Ohm", "uV", "uV"))
    done = batch.derive_leads()
    units = dict(zip(done.meta[0]["leads"], done.meta[0]["units"], strict=True))
    assert units == {**dict.fromkeys(("I", "II", "III", "aVR", "aVL", "aVF"), "uV"), "Resp": "Ohm"}
    mixed = EcgBatch.from_arrays(signal[:, 1:], fs=250, leads=("I", "II"), units=("mV", "uV"))
    with pytest.raises(InputError, match=r"lead I is in mV and its lead II in uV. Call convert_units\('mV'\) first"):
        mixed.derive_leads()


@pytest.mark.parametrize("method", ["kors", "inverse_dower"])
def test_the_vectorcardiogram_is_a_weighted_sum_of_eight_leads(twelve, method):
    done = twelve.derive_vcg(method)
    assert done.meta[0]["leads"] == ("X", "Y", "Z")
    x = {lead: twelve.signal[0][i].astype(float) for i, lead in enumerate(twelve.meta[0]["leads"])}
    if method == "kors":
        expected = (
            0.38 * x["I"]
            - 0.07 * x["II"]
            - 0.13 * x["V1"]
            + 0.05 * x["V2"]
            - 0.01 * x["V3"]
            + 0.14 * x["V4"]
            + 0.06 * x["V5"]
            + 0.54 * x["V6"]
        )
        np.testing.assert_allclose(done.signal[0][0], expected, atol=1e-5)
    else:
        # The Y axis points down, along II and aVF.
        assert np.corrcoef(done.signal[0][1], x["aVF"])[0, 1] > 0.9


def test_the_inverse_dower_matrix_restores_frank_leads():
    # Dower's matrix, from Frank leads to V1-V6, I, II (Dower 1968).
    dower = np.array(
        [
            [-0.515, 0.157, -0.917],
            [0.044, 0.164, -1.387],
            [0.882, 0.098, -1.277],
            [1.213, 0.127, -0.601],
            [1.125, 0.127, -0.086],
            [0.831, 0.076, 0.230],
            [0.632, -0.235, 0.059],
            [0.235, 1.066, -0.132],
        ]
    )
    from cardioflow.transforms.channels.derive_vcg import _MATRICES

    np.testing.assert_allclose(np.array(_MATRICES["inverse_dower"]) @ dower, np.eye(3), atol=0.02)


def test_units_are_converted_for_all_channels_or_some(batch):
    done = batch.convert_units("uV")
    np.testing.assert_allclose(done.signal[0], batch.signal[0] * 1000)
    assert done.meta[0]["units"] == ("uV",) * 4
    some = batch.convert_units({"V1": "V"})
    np.testing.assert_allclose(some.signal[0][2], batch.signal[0][2] / 1000, rtol=1e-6)
    assert some.meta[0]["units"] == ("mV", "mV", "V", "mV")
    each = batch.convert_units(["mV", "uV", "mV", "V"])
    assert each.meta[1]["units"] == ("mV", "uV", "mV", "V")


@pytest.mark.parametrize("unit", ["uVolts", "microvol", "µV"])
def test_voltages_may_be_spelled_as_devices_do(batch, unit):
    done = batch.convert_units(unit)
    np.testing.assert_allclose(done.signal[0], batch.signal[0] * 1000, rtol=1e-6)


def test_an_unknown_unit_is_refused_at_once(batch):
    with pytest.raises(InputError) as caught:
        batch.convert_units("millvolt")
    assert str(caught.value) == "There is no unit 'millvolt'. Pass one that pint knows, such as 'mV' or 'uV'."


def test_a_voltage_cannot_be_converted_to_a_pressure(batch):
    with pytest.raises(InputError) as caught:
        batch.take([0]).convert_units("mmHg")
    assert "A channel in 'mV' cannot be expressed in 'mmHg'" in str(caught.value)
    assert caught.value.record == "A00000"


def test_one_unit_per_channel_is_expected(batch):
    with pytest.raises(InputError, match=r"gives 2 units, but record 'A00000' has 4 channels"):
        batch.take([0]).convert_units(["mV", "uV"])


def test_annotations_follow_the_leads_that_are_kept(data):
    batch = (
        EcgDataset([data / "ludb/7.hea"]).next_batch(1).load(fmt="wfdb", components=["signal", "meta", "annotation"])
    )
    whole, kept = batch.annotation[0], batch.keep_channels(["V1", "II"]).annotation[0]
    for old, new in ((2, 1), (7, 2)):
        np.testing.assert_array_equal(kept.sample[kept.channel == new], whole.sample[whole.channel == old])
    assert set(kept.channel.tolist()) == {1, 2}
    turned = batch.reorder_channels(["V1", "II"]).annotation[0]
    np.testing.assert_array_equal(turned.sample[turned.channel == 1], whole.sample[whole.channel == 7])
    assert batch.derive_vcg().annotation[0].channel.tolist() == []
