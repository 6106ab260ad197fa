"""A model gets signals in the unit it was trained on, or refuses the record."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.batch import EcgBatch
from cardioflow.errors import BadRecordsError, InputError
from cardioflow.models._lead_check import checked_batch
from cardioflow.models._units import refuse_other_units
from cardioflow.models.dump import read_header


def with_units(batch: EcgBatch, *units, rows=None, **columns) -> EcgBatch:
    own = [units if rows is None or i in rows else ("mV",) * len(units) for i in range(len(batch))]
    return batch.replace(meta=batch.meta.with_columns(units=own, **columns))


@pytest.fixture
def calibrated(linear_class, make_batch):
    """A model that was trained on millivolts, and a batch."""
    model = linear_class().build((2, 400))
    model.train_on_batch(with_units(make_batch(4, (2, 400)), "mV", "mV"))
    return model, make_batch(4, (2, 400), seed=5)


def test_a_model_keeps_the_units_it_was_trained_on(calibrated, linear_class, tmp_path):
    model, _ = calibrated
    model.save(tmp_path / "m")
    assert model.units == read_header(tmp_path / "m").units == linear_class().load(tmp_path / "m").units == ("mV", "mV")


@pytest.mark.parametrize("unit", ["adu", "unknown", ""])
def test_numbers_without_a_unit_are_refused(calibrated, unit):
    model, batch = calibrated
    for call in (model.predict_on_batch, model.test_on_batch, model.train_on_batch):
        with pytest.raises(
            InputError,
            match=r"trained on signals in mV, and record 'A00002' has signals in numbers without a unit\. "
            r'Read the record with its calibration, or set units="any"',
        ):
            call(with_units(batch, "mV", unit, rows=[2]))


def test_an_uncalibrated_lead_is_refused_whatever_its_unit(calibrated):
    model, batch = calibrated
    gain_zero = with_units(batch, "mV", "mV", uncalibrated_leads=[(), ("II",), (), ("I", "II")])
    with pytest.raises(BadRecordsError, match="numbers without a unit") as caught:
        model.predict_on_batch(gain_zero)
    assert sorted(caught.value.reasons) == ["A00001", "A00003"]


def test_an_uncalibrated_lead_that_is_not_chosen_does_not_matter(linear_class, make_batch):
    model = linear_class().build((1, 400))
    model.train_on_batch(with_units(make_batch(4), "mV"))
    three = with_units(make_batch(4, (3, 400)), "mV", "adu", "mV", uncalibrated_leads=[("II", "III")] * 4)
    with pytest.warns(UserWarning, match="The model takes the leads I"):
        found = model.predict_on_batch(three)
    np.testing.assert_array_equal(found, model.predict_on_batch(three.keep_channels("I")))


def test_other_voltages_are_refused_with_the_action_that_converts_them(calibrated):
    model, batch = calibrated
    in_microvolts = with_units(batch, "mV", "mV").convert_units("uV")
    with pytest.raises(BadRecordsError, match=r"has signals in uV\. Call convert_units\('mV'\) first"):
        model.predict_on_batch(in_microvolts)
    np.testing.assert_allclose(
        model.predict_on_batch(in_microvolts.convert_units("mV")), model.predict_on_batch(batch), rtol=1e-4
    )


@pytest.mark.parametrize("spelled", [("mv", "MV"), ("mV", " mV "), ("millivolt", "millivolts")])
def test_one_unit_in_two_spellings_is_one_unit(calibrated, spelled):
    model, batch = calibrated
    np.testing.assert_array_equal(model.predict_on_batch(with_units(batch, *spelled)), model.predict_on_batch(batch))


def test_a_model_trained_on_microvolts_takes_microvolts(linear_class, make_batch):
    batch = make_batch(4)
    model = linear_class().build((1, 400))
    model.train_on_batch(with_units(batch, "µV"))
    assert model.units == ("uV",)
    assert model.predict_on_batch(with_units(batch, "uV")).shape == (4, 2)
    with pytest.raises(BadRecordsError, match=r"has signals in mV\. Call convert_units\('uV'\) first"):
        model.predict_on_batch(with_units(batch, "mV"))


def test_a_training_batch_that_mixes_units_is_refused_before_any_weight_changes(linear_class, make_batch):
    model = linear_class().build((1, 400))
    before = model.model["w"].copy()
    with pytest.raises(InputError, match="record 'A00003' has signals in numbers without a unit"):
        model.train_on_batch(with_units(make_batch(4), "adu", rows=[3]))
    np.testing.assert_array_equal(model.model["w"], before)


def test_a_model_trained_on_numbers_without_a_unit_refuses_millivolts(linear_class, make_batch):
    model = linear_class().build((1, 400))
    model.train_on_batch(with_units(make_batch(4), "adu"))
    assert model.predict_on_batch(with_units(make_batch(4), "unknown")).shape == (4, 2)
    with pytest.raises(BadRecordsError, match=r"has signals in mV\. Train the model on calibrated records"):
        model.predict_on_batch(with_units(make_batch(4), "mV"))


def test_a_model_of_any_units_accepts_all_and_its_dump_records_it(linear_class, make_batch, tmp_path):
    model = linear_class().build((1, 400))
    model.units = "any"
    model.train_on_batch(with_units(make_batch(4), "adu", rows=[3]))
    model.save(tmp_path / "m")
    again = linear_class().load(tmp_path / "m")
    assert again.units == "any"
    batch = make_batch(4, seed=3)
    np.testing.assert_array_equal(
        again.predict_on_batch(with_units(batch, "adu")), again.predict_on_batch(with_units(batch, "mV"))
    )


def test_a_model_of_any_leads_still_compares_units(linear_class, make_batch):
    model = linear_class().build((2, 400))
    model.leads = "any"
    model.train_on_batch(with_units(make_batch(4, (2, 400)), "mV", "mV"))
    with pytest.raises(BadRecordsError, match="numbers without a unit"):
        model.predict_on_batch(with_units(make_batch(4, (2, 400)), "adu", "adu"))


def test_missing_units_are_accepted(calibrated):
    model, batch = calibrated
    expected = model.predict_on_batch(batch)
    some = batch.replace(meta=batch.meta.with_columns(units=[None, ("mV", "mV"), None, None]))
    np.testing.assert_array_equal(model.predict_on_batch(some), expected)
    np.testing.assert_array_equal(model.predict_on_batch(batch.replace(meta=None)), expected)


@pytest.mark.parametrize(
    ("units", "expected", "works"),
    [
        (("mV",), ("mV",), True),
        (("mV", "mV", "mV"), ("mV",), True),
        (("mV", "mmHg", "mV"), ("mV",), False),
        (("mmHg", "mV"), ("mmHg", "mV"), True),
        (("mV", "mmHg"), ("mmHg", "mV"), False),
        (("mV", "mV"), ("mmHg", "mV"), False),
        (("mV", "mmHg", "mV"), ("mmHg", "mV"), True),
    ],
)
def test_units_are_compared_lead_by_lead_or_as_a_set_for_another_number_of_leads(make_batch, units, expected, works):
    batch = with_units(make_batch(2, (len(units), 400)), *units)
    if works:
        refuse_other_units(batch, expected)
    else:
        with pytest.raises((InputError, BadRecordsError)):
            refuse_other_units(batch, expected)


def test_a_batch_that_is_cut_is_not_checked(make_batch):
    cut = make_batch(2, (2, 400)).split_signals(100, 100)
    assert checked_batch(cut, ("I", "II"), ("mmHg",), set(), training=False) is cut
