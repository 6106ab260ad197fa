"""A model gets the leads it was trained on, by name and in its order, or refuses the record."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from cardioflow.batch import EcgBatch, Meta, Ragged
from cardioflow.errors import BadRecordsError, ConfigError, InputError
from cardioflow.models.dump import read_header
from cardioflow.models.inputs import Features

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def with_order(batch: EcgBatch, names, rows=None) -> EcgBatch:
    """Return ``batch``, of leads I, II, III, with those of ``rows`` stored as ``names`` has them; others are noise."""
    rng = np.random.default_rng(9)
    leads, signals = list(batch.meta["leads"]), [batch.signal[i] for i in range(len(batch))]
    for i in range(len(batch)) if rows is None else rows:
        own = dict(zip(batch.meta["leads"][i], batch.signal[i], strict=True))
        noise = rng.normal(size=batch.signal[i].shape[-1]).astype(np.float32)
        signals[i] = np.stack([own.get(name, noise) for name in names])
        leads[i] = tuple(names)
    return batch.replace(signal=Ragged.from_arrays(signals), meta=batch.meta.with_columns(leads=leads))


def named(batch: EcgBatch, *leads) -> EcgBatch:
    return batch.replace(meta=batch.meta.with_columns(leads=[leads] * len(batch)))


@pytest.fixture
def two(linear_class, make_batch):
    """A model of I and II that has learned from twenty batches, and a batch that it has not seen."""
    model = linear_class().build((2, 400))
    for seed in range(20):
        model.train_on_batch(make_batch(8, (2, 400), seed=seed))
    return model, make_batch(6, (2, 400), seed=99)


def test_a_model_keeps_the_leads_of_the_first_batch_it_was_trained_on(two):
    model, _ = two
    assert model.leads == ("I", "II")


@pytest.mark.parametrize(
    "order",
    [("II", "I"), ("V1", "II", "I"), TWELVE, TWELVE[::-1]],
    ids=["swapped", "with another between", "twelve", "twelve backwards"],
)
def test_a_prediction_does_not_depend_on_the_order_of_leads_in_the_record(two, order):
    model, batch = two
    expected = model.predict_on_batch(batch)
    # The leads matter to this model: given as they stand, II and I have another prediction.
    as_they_stand = named(with_order(batch, ("II", "I")), "I", "II")
    assert np.abs(model.predict_on_batch(as_they_stand) - expected).max() > 0.01
    with pytest.warns(UserWarning, match=r"The model takes the leads I, II\. They are taken by name from records with"):
        found = model.predict_on_batch(with_order(batch, order))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("order", [("Lead II", "LEAD I"), ("MDC_ECG_LEAD_II", "ecg i"), ("DII", "DI")])
def test_leads_are_known_by_their_aliases(two, order):
    model, batch = two
    swapped = named(with_order(batch, ("II", "I")), *order)
    with pytest.warns(UserWarning, match="with the leads II, I, such as 'A00000'"):
        np.testing.assert_array_equal(model.predict_on_batch(swapped), model.predict_on_batch(batch))
    model.leads = ("lead i", "lead ii")
    np.testing.assert_array_equal(model.predict_on_batch(named(batch, "I", "II")), model.predict_on_batch(batch))


def test_segments_of_a_cut_record_are_also_reordered(linear_class, make_batch):
    model = linear_class().build((2, 200))
    whole = make_batch(4, (2, 400))
    model.train_on_batch(whole.split_signals(200))
    with pytest.warns(UserWarning, match="with the leads II, I, such as 'A00000'"):
        found = model.predict_on_batch(with_order(whole, ("II", "I")).split_signals(200))
    assert found.shape == (8, 2)
    np.testing.assert_array_equal(found, model.predict_on_batch(whole.split_signals(200)))


def test_the_warning_is_given_once_for_each_order(two):
    model, batch = two
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        for order in (("II", "I"), ("II", "I"), ("II", "III", "I"), ("II", "I")):
            model.predict_on_batch(with_order(batch, order))
    assert [str(w.message).split("leads ")[2] for w in given] == [
        "II, I, such as 'A00000'.",
        "II, III, I, such as 'A00000'.",
    ]


@pytest.mark.parametrize(
    ("leads", "problem"),
    [
        (("V1", "V5"), "has V1, V5: I, II missing"),
        (("I", "V5"), "has I, V5: II missing"),
        (("MLI", "MLII"), "has MLI, MLII: I, II missing"),
        (("I", "II", "II"), "has I, II, II: II more than once"),
    ],
)
def test_a_record_without_the_leads_of_the_model_is_refused_by_name(two, leads, problem):
    model, batch = two
    hist = {name: list(values) for name, values in model.hist.items()}
    for call in (model.predict_on_batch, model.test_on_batch, model.train_on_batch):
        with pytest.raises(InputError, match=rf"leads I, II, and record 'A00003' {problem}\. Read these leads, give"):
            call(with_order(batch, leads, rows=[3]))
    assert {name: list(values) for name, values in model.hist.items()} == hist


def test_every_record_without_the_leads_is_named(two):
    model, batch = two
    with pytest.raises(BadRecordsError) as caught:
        model.predict_on_batch(with_order(batch, ("V1", "V5"), rows=[1, 4]))
    assert sorted(caught.value.reasons) == ["A00001", "A00004"]


@pytest.mark.filterwarnings("ignore:The model takes the leads I, II")
def test_a_training_batch_with_mixed_lead_orders_trains_like_one_with_a_single_order(linear_class, make_batch):
    plain, mixed = linear_class().build((2, 400)), linear_class().build((2, 400))
    for seed in range(3):
        batch = make_batch(8, (2, 400), seed=seed)
        first_losses = plain.train_on_batch(batch)
        # In the first batch only later records differ: its first one says which leads the model takes.
        rows = [2, 5] if seed == 0 else range(8)
        assert mixed.train_on_batch(with_order(batch, ("II", "V1", "I"), rows=rows)) == first_losses
    np.testing.assert_array_equal(plain.model["w"], mixed.model["w"])
    assert mixed.leads == ("I", "II")


def test_a_training_batch_of_other_leads_is_refused_before_any_weight_changes(linear_class, make_batch):
    model = linear_class().build((2, 400))
    before = model.model["w"].copy()
    with pytest.raises(InputError, match=r"takes the leads I, II, and record 'A00002' has V1, V5: I, II missing"):
        model.train_on_batch(with_order(make_batch(4, (2, 400)), ("V1", "V5"), rows=[2]))
    np.testing.assert_array_equal(model.model["w"], before)
    assert model.leads is None


def test_a_model_of_any_leads_keeps_their_order(two, linear_class, make_batch, tmp_path):
    _, batch = two
    model = linear_class().build((2, 400))
    model.leads = "any"
    model.train_on_batch(with_order(make_batch(8, (2, 400)), ("V1", "V5"), rows=[1, 2]))
    model.train_on_batch(batch)
    swapped = with_order(batch, ("II", "I"))
    as_they_stand = model.predict_on_batch(named(swapped, "V1", "V5"))
    np.testing.assert_array_equal(model.predict_on_batch(swapped), as_they_stand)
    model.save(tmp_path / "m")
    assert read_header(tmp_path / "m").leads == "any"
    again = linear_class().load(tmp_path / "m")
    assert again.leads == "any"
    np.testing.assert_array_equal(again.predict_on_batch(swapped), as_they_stand)


def test_a_saved_model_continues_to_select_its_leads_by_name(two, linear_class, tmp_path):
    model, batch = two
    model.save(tmp_path / "m")
    again = linear_class().load(tmp_path / "m")
    assert again.leads == ("I", "II")
    with pytest.warns(UserWarning, match="with the leads II, I"):
        found = again.predict_on_batch(with_order(batch, ("II", "I")))
    np.testing.assert_array_equal(found, model.predict_on_batch(batch))
    with pytest.raises(BadRecordsError, match="has V1, V5: I, II missing"):
        again.train_on_batch(named(batch, "V1", "V5"))


def test_declared_leads_apply_from_the_first_batch_on(linear_class, make_batch):
    model = linear_class().build((1, 400))
    model.leads = ("III",)
    batch = make_batch(4, (3, 400))
    with pytest.warns(UserWarning, match="The model takes the leads III. They are taken by name from records with"):
        model.train_on_batch(batch)
    other = linear_class().build((1, 400))
    other.train_on_batch(batch.keep_channels("III"))
    np.testing.assert_array_equal(model.model["w"], other.model["w"])


@pytest.mark.parametrize("leads", [12, "I", (), "all"])
def test_an_invalid_selection_of_leads_is_refused(two, leads):
    model, batch = two
    model.leads = leads
    with pytest.raises(ConfigError, match=r"model\.leads is .*Set it to a text per lead"):
        model.predict_on_batch(batch)


def test_models_and_records_with_unknown_leads_are_accepted(two, linear_class, make_batch):
    model, batch = two
    expected = model.predict_on_batch(batch)
    for unknown in (
        batch.replace(meta=None),
        batch.replace(meta=Meta.from_rows([{"fs": 300.0}] * 6)),
        named(batch, "signal 0", "signal 1"),
        named(batch, "I", "II", "III"),
    ):
        np.testing.assert_array_equal(model.predict_on_batch(unknown), expected)
    old = linear_class().build((2, 400))
    old.train_on_batch(batch.replace(meta=None))
    assert old.leads is None
    np.testing.assert_array_equal(
        old.predict_on_batch(named(batch, "V1", "V5")), old.predict_on_batch(named(batch, "I", "II"))
    )


def test_two_leads_with_the_same_name_are_accepted_if_the_model_learned_them(linear_class, make_batch):
    batch = named(make_batch(4, (2, 400)), "ECG", "ECG")
    model = linear_class().build((2, 400))
    model.train_on_batch(batch)
    assert model.predict_on_batch(batch).shape == (4, 2)
    with pytest.raises(BadRecordsError, match="has I, II: ECG missing"):
        model.predict_on_batch(named(batch, "I", "II"))


def test_a_model_of_features_does_not_compare_leads(linear_class, make_batch):
    model = linear_class().build((1, 5))
    model.inputs = Features("features")
    batch = make_batch(4).with_component("features", np.ones((4, 5), np.float32))
    model.train_on_batch(batch)
    assert model.leads is None
    assert model.predict_on_batch(named(batch, "V1")).shape == (4, 2)
