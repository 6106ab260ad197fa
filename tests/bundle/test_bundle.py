"""A saved model is loaded in one line and predicts files, folders, data sets and arrays alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import cardioflow
from cardioflow import C, EcgDataset, Pipeline
from cardioflow.bundle import Bundle, SkippedRecord
from cardioflow.bundle.preparation import Preparation
from cardioflow.errors import DumpError, InputError
from cardioflow.models.dump import read_header

PREPARATION = Pipeline().load(fmt="simulated", components=["signal", "meta"]).split_signals(1000).standardize()
FILES = [f"simulated:{'AF' if i % 2 else 'SR'}?seed={i}&duration_s={10 + i % 3}" for i in range(6)]


@pytest.fixture(scope="module")
def bundle(saved) -> Bundle:
    return cardioflow.load(saved)


def numbers(predictions) -> np.ndarray:
    return np.array([list(p.probabilities.values()) for p in predictions])


def test_a_prediction_has_its_file_its_label_and_probabilities(bundle):
    found = bundle.predict(FILES[:2])
    assert len(found) == 2
    assert [p.file for p in found] == [p.id for p in found] == FILES[:2]
    for prediction in found:
        assert list(prediction.probabilities) == ["AF", "SR"]
        assert sum(prediction.probabilities.values()) == pytest.approx(1.0, abs=1e-5)
        assert prediction.labels == (max(prediction.probabilities, key=prediction.probabilities.get),)
    assert found.skipped == ()


def test_predictions_together_are_those_one_by_one(bundle):
    together = bundle.predict(FILES)
    alone = [bundle.predict(file)[0] for file in FILES]
    assert [p.labels for p in together] == [p.labels for p in alone]
    np.testing.assert_allclose(numbers(together), numbers(alone), atol=1e-6)
    np.testing.assert_allclose(numbers(bundle.predict(FILES, batch_size=4)), numbers(alone), atol=1e-6)


def test_predictions_are_the_mean_over_segments_of_the_model_in_python(bundle, trained):
    batch = EcgDataset({f: f for f in FILES[:2]}).next_batch(2).load(fmt="simulated", components=["signal", "meta"])
    prepared = batch.split_signals(1000).standardize()
    values = np.asarray(trained.get_model("fft_inception").predict_on_batch(prepared), np.float64)
    n_first = prepared.signal.shapes[0, 0]
    expected = [values[:n_first].mean(axis=0), values[n_first:].mean(axis=0)]
    np.testing.assert_allclose(numbers(bundle.predict(FILES[:2])), expected, atol=1e-6)


def test_a_data_set_is_predicted_under_its_own_ids(bundle):
    dataset = EcgDataset({f"record-{i}": f for i, f in enumerate(FILES)})
    found = bundle.predict(dataset)
    assert [p.id for p in found] == [f"record-{i}" for i in range(6)]
    assert [p.file for p in found] == FILES
    np.testing.assert_allclose(numbers(found), numbers(bundle.predict(FILES)), atol=1e-6)


def test_arrays_are_predicted_as_the_files_that_hold_them(bundle):
    batch = EcgDataset({f: f for f in FILES}).next_batch(6).load(fmt="simulated", components=["signal", "meta"])
    arrays = [batch.signal[i] for i in range(6)]
    expected = numbers(bundle.predict(FILES))
    found = bundle.predict(arrays, fs=300)
    assert [p.id for p in found] == ["0", "1", "2", "3", "4", "5"]
    assert {p.file for p in found} == {None}
    np.testing.assert_allclose(numbers(found), expected, atol=1e-6)
    np.testing.assert_allclose(numbers(bundle.predict(arrays[0], fs=300)), expected[:1], atol=1e-6)
    equal = np.stack([arrays[0][:, :3000], arrays[3][:, :3000]])
    np.testing.assert_allclose(numbers(bundle.predict(equal, fs=300, leads=["I"])), expected[[0, 3]], atol=1e-6)


def test_arrays_in_other_units_are_converted_to_millivolts(bundle):
    batch = EcgDataset({f: f for f in FILES[:1]}).next_batch(1).load(fmt="simulated", components=["signal", "meta"])
    in_microvolts = batch.signal[0] * 1000
    # The preprocessing standardizes, so that the unit shows only in what reaches it.
    expected = numbers(bundle.predict(FILES[:1]))
    np.testing.assert_allclose(numbers(bundle.predict(in_microvolts, fs=300, units="uV")), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("array", "given", "message"),
    [
        (np.zeros((1, 3000)), {}, r"predict\(fs=None\): the sampling rate of arrays is not known\. Pass fs="),
        (np.zeros((1, 3000)), {"fs": 0}, r"fs=0 is not a sampling rate\. Pass a positive number of Hz"),
        (np.zeros(3000), {"fs": 300}, r"signals has shape \(3000,\); expected \(record, lead, time\)"),
        (np.zeros((2, 3000)), {"fs": 300, "leads": ["I"]}, r"the record has 2 leads\. Pass one text per lead"),
        (np.zeros((1, 3000), complex), {"fs": 300}, r"signals\[0\] is of type complex128; expected real numbers"),
        (["a.hea"], {"fs": 300}, r"describe arrays, and files have their own\. Remove them"),
        ([], {}, r"There is no file to predict\. Pass the paths"),
        (["a.hea"], {"batch_size": 0}, r"predict\(batch_size=0\): expected a whole number from 1 on"),
    ],
)
def test_what_cannot_be_predicted_says_so(bundle, array, given, message):
    with pytest.raises(InputError, match=message):
        bundle.predict(array, **given)


def test_a_folder_is_predicted_record_by_record(bundle, tmp_path, shared_wfdb):
    folder = tmp_path / "records"
    folder.mkdir()
    for file in shared_wfdb:
        shutil.copy(file, folder)
    wfdb = bundle_of_any_format(bundle)
    found = wfdb.predict(folder)
    assert sorted(Path(p.file).stem for p in found) == sorted({f.stem for f in shared_wfdb})


def test_files_of_one_name_in_two_folders_are_two_records(bundle, tmp_path, shared_wfdb):
    for name in ("first", "second"):
        (tmp_path / "records" / name).mkdir(parents=True)
        for file in shared_wfdb:
            shutil.copy(file, tmp_path / "records" / name)
    found = bundle_of_any_format(bundle).predict(tmp_path / "records")
    stems = sorted({file.stem for file in shared_wfdb})
    expected = [(folder, stem) for folder in ("first", "second") for stem in stems]
    assert sorted((Path(record.file).parent.name, Path(record.file).stem) for record in found) == expected


@pytest.fixture
def shared_wfdb(tmp_path):
    """Two records in WFDB's format, at the model's rate."""
    batch = EcgDataset.simulated(2, duration_s=10.0).next_batch(2).load(fmt="simulated", components=["signal", "meta"])
    from cardioflow.io.base import Record
    from cardioflow.io.wfdb import Wfdb

    files = []
    for i in range(2):
        record = Record(signal=batch.signal[i], fs=300.0, leads=("I",), units=("mV",))
        files += Wfdb().write(record, tmp_path / f"r{i}")
    return files


def bundle_of_any_format(bundle: Bundle) -> Bundle:

    text = Pipeline().load(components=["signal", "meta"]).split_signals(1000).standardize().to_json()
    return Bundle.of_model(bundle.model, bundle.header, Preparation.from_json(text))


def test_a_record_that_is_too_short_is_skipped_with_that_reason(bundle, saved):

    text = Pipeline().load(fmt="simulated").drop_short_signals(3000).split_signals(1000).standardize().to_json()
    short = "simulated:AF?seed=1&duration_s=5"
    picky = Bundle.of_model(bundle.model, bundle.header, Preparation.from_json(text))
    found = picky.predict([FILES[0], short])
    assert [p.file for p in found] == FILES[:1]
    (left_out,) = found.skipped
    assert left_out.file == short
    assert left_out.step == "2, drop_short_signals(3000)"
    assert left_out.reason == (
        "The preprocessing leaves the record out at step 2, drop_short_signals(3000): it is probably too short."
    )


def test_a_record_that_fails_does_not_touch_the_others(bundle):
    two_leads = "simulated:AF?seed=1&duration_s=12&leads=II,V1"
    found = bundle.predict([FILES[0], "simulated:VT", two_leads, FILES[1], "nowhere.hea"])
    assert [p.file for p in found] == FILES[:2]
    np.testing.assert_allclose(numbers(found), numbers(bundle.predict(FILES[:2])), atol=1e-6)
    assert [s.file for s in found.skipped] == ["simulated:VT", two_leads, "nowhere.hea"]
    rhythm, leads, missing = found.skipped
    assert isinstance(rhythm, SkippedRecord)
    assert "asks for the rhythm 'VT'" in rhythm.reason
    assert rhythm.step == "1, load(fmt='simulated', components=['signal', 'meta'])"
    assert "The model takes the leads I, and record 'simulated:AF" in leads.reason
    assert "has II, V1: I missing. Read these leads, give them their names" in leads.reason
    assert leads.step is None
    assert "nowhere.hea" in missing.reason


def test_files_with_more_leads_or_another_order_are_predicted_by_the_leads_of_the_model(bundle, saved):
    expected = numbers(bundle.predict([f"{FILES[1]}&leads=I"]))
    fresh = cardioflow.load(saved)
    for leads in ("I,II", "II,I", "V1,II,I"):
        with pytest.warns(
            UserWarning, match=rf"takes the leads I\. They are .* leads {leads.replace(',', ', ')}, such as"
        ):
            found = fresh.predict([f"{FILES[1]}&leads={leads}"])
        np.testing.assert_allclose(numbers(found), expected, atol=1e-6)


def test_arrays_are_predicted_by_the_names_of_their_leads(bundle, saved):
    batch = EcgDataset({f: f for f in FILES[:1]}).next_batch(1).load(fmt="simulated", components=["signal", "meta"])
    other = np.random.default_rng(0).normal(size=batch.signal[0].shape).astype(np.float32)
    both = np.concatenate([other, batch.signal[0]])
    fresh = cardioflow.load(saved)
    with pytest.warns(UserWarning, match="with the leads V1, I, such as '0'"):
        found = fresh.predict(both, fs=300, leads=["v1", "Lead I"])
    np.testing.assert_allclose(numbers(found), numbers(bundle.predict(FILES[:1])), atol=1e-6)
    with pytest.raises(
        InputError, match=r"the model takes the leads I, and the arrays have 2\. Pass leads=…, the names"
    ):
        fresh.predict(both, fs=300)
    (left_out,) = fresh.predict(other, fs=300, leads=["V5"]).skipped
    assert "The model takes the leads I, and record '0/0' has V5: I missing" in left_out.reason


def test_arrays_without_a_unit_are_not_predicted(bundle, saved):
    steps = np.random.default_rng(0).integers(-500, 500, size=(1, 3000)).astype(np.int16)
    with pytest.raises(InputError, match=r"signals\[0\] is of type int16, whose unit is not known\. Pass units='uV'"):
        bundle.predict(steps, fs=300)
    (left_out,) = bundle.predict(steps, fs=300, units="adu").skipped
    assert "trained on signals in mV, and record '0/0' has signals in numbers without a unit" in left_out.reason
    careless = cardioflow.load(saved)
    careless.model.units = "any"
    np.testing.assert_allclose(
        numbers(careless.predict(steps, fs=300, units="adu")), numbers(bundle.predict(steps, fs=300, units="mV"))
    )


def test_an_old_dump_without_leads_and_units_accepts_all(with_header):
    old = cardioflow.load(with_header(leads=None, units=None))
    signal = np.random.default_rng(0).normal(size=(1, 3000)).astype(np.float32)
    expected = numbers(old.predict(signal, fs=300, leads=["I"]))
    np.testing.assert_array_equal(numbers(old.predict(signal, fs=300, leads=["V5"], units="adu")), expected)
    np.testing.assert_array_equal(numbers(old.predict(signal, fs=300)), expected)


@pytest.mark.parametrize("entry", ["leads", "units"])
@pytest.mark.parametrize("value", ["II", [], [1], 3])
def test_a_header_with_invalid_leads_or_units_is_refused(with_header, entry, value):
    with pytest.raises(DumpError, match=rf"Entry '{entry}' is .*; expected a list of at most 100 000 texts, 'any', or"):
        cardioflow.load(with_header(**{entry: value}))


def test_thresholds_decide_on_labels_and_survive_saving(bundle, saved, tmp_path):
    own = cardioflow.load(saved)
    assert own.thresholds == {}
    p = own.predict(FILES[:1])[0].probabilities
    own.thresholds = {"AF": p["AF"] + 0.01}
    assert own.predict(FILES[:1])[0].labels == ("SR",)
    own.thresholds = {"AF": p["AF"] - 0.01}
    assert own.predict(FILES[:1])[0].labels == ("AF",)
    own.save(tmp_path / "own")
    again = cardioflow.load(tmp_path / "own")
    assert again.thresholds == own.thresholds
    assert again.predict(FILES[:1])[0].labels == ("AF",)
    assert read_header(tmp_path / "own").preprocessing == read_header(saved).preprocessing
    with pytest.raises(DumpError, match=r"Entry 'thresholds' has the label 'VT', which entry 'classes' does not list"):
        own.thresholds = {"VT": 0.5}
    with pytest.raises(DumpError, match=r"Entry 'thresholds' is \{'AF': 2\}; expected a number from 0 to 1"):
        own.thresholds = {"AF": 2}


def test_independent_labels_are_given_from_one_half_or_their_threshold_on(with_header):
    independent = cardioflow.load(with_header(output="independent", thresholds={"AF": 0.0, "SR": 1.0}))
    assert independent.predict(FILES[:1])[0].labels == ("AF",)
    independent.thresholds = {"AF": 1.0, "SR": 1.0}
    assert independent.predict(FILES[:1])[0].labels == ()
    independent.thresholds = {}
    (found,) = independent.predict(FILES[:1])
    assert found.labels == tuple(name for name, p in found.probabilities.items() if p >= 0.5)


def test_values_are_given_as_numbers_and_not_as_labels(with_header, bundle):
    (found,) = cardioflow.load(with_header(output="value", classes=None)).predict(FILES[:1])
    assert found.labels == ()
    assert found.probabilities == {}
    np.testing.assert_allclose(found.values, numbers(bundle.predict(FILES[:1]))[0], atol=1e-6)


def test_a_model_of_states_is_not_predicted_per_record(with_header):
    found = cardioflow.load(with_header(output="states")).predict(FILES[:1])
    assert "predict() returns one prediction per record. Use predict_on_batch" in found.skipped[0].reason


def test_a_model_saved_without_labels_numbers_them(with_header):
    (found,) = cardioflow.load(with_header(classes=None)).predict(FILES[:1])
    assert list(found.probabilities) == ["0", "1"]


def test_labels_that_do_not_fit_the_outputs_are_refused(with_header):
    found = cardioflow.load(with_header(classes=["AF", "SR", "O"])).predict(FILES[:1])
    assert "predicts 2 numbers for record" in found.skipped[0].reason


def test_without_preprocessing_arrays_are_predicted_and_files_are_refused(with_header):
    bare = cardioflow.load(with_header(preprocessing=None))
    signal = np.random.default_rng(0).normal(size=(1, 1000)).astype(np.float32)
    assert len(bare.predict(signal, fs=300)) == 1
    with pytest.raises(DumpError, match=r"does not say how a file becomes what the model takes\. Save it with its pre"):
        bare.predict(FILES[:1])


def test_the_card_says_what_the_model_is(bundle, trained):
    card = bundle.card
    assert card.classes == ("AF", "SR")
    assert card.leads == ("I",)
    assert card.units == ("mV",)
    assert card.fs == 300.0
    assert card.input_shape == (1, 1000)
    assert card.last == {"train_loss": trained.get_model("fft_inception").hist["train_loss"][-1]}
    assert card.preprocessing[1:] == ("split_signals(1000)", "standardize()")
    lines = dict(line.split(maxsplit=1) for line in str(card).splitlines())
    assert lines["model"] == "FftInception (keras)"
    assert lines["output"] == "one class per record"
    assert lines["classes"] == "AF, SR"
    assert lines["rate"] == "300 Hz"
    assert lines["leads"] == "I"
    assert lines["units"] == "mV"
    assert lines["input"] == "1 × 1000 (lead × time)"
    assert "notes" not in lines


def test_the_card_prints_what_a_terminal_would_obey_escaped(with_header):
    card = cardioflow.load(with_header(classes=["\x1b[31mAF", "SR"], notes="one\ntwo")).card
    assert card.classes == ("\x1b[31mAF", "SR")
    assert r"\x1b[31mAF, SR" in str(card)
    assert r"one\ntwo" in str(card)
    assert all(line.isprintable() for line in str(card).splitlines())


def test_settings_of_the_preprocessing_are_filled_in(bundle):

    template = Pipeline(config={"length": 1000}).load(fmt="simulated").split_signals(C("length")).standardize()
    configured = Bundle.of_model(bundle.model, bundle.header, Preparation.from_json(template.to_json()))
    np.testing.assert_allclose(numbers(configured.predict(FILES)), numbers(bundle.predict(FILES)), atol=1e-6)


def test_run_arguments_in_a_dump_change_nothing(with_header, bundle):
    for run in (PREPARATION.run(100, n_epochs=2), PREPARATION.run(1, n_epochs=None), PREPARATION.run(3, shuffle=True)):
        found = cardioflow.load(with_header(preprocessing=run.to_json())).predict(FILES)
        assert [p.file for p in found] == FILES
        np.testing.assert_allclose(numbers(found), numbers(bundle.predict(FILES)), atol=1e-6)
