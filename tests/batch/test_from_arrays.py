"""Arrays in memory become a batch, and errors name the wrong argument."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from cardioflow.batch import Annotation, EcgBatch, Meta
from cardioflow.errors import InputError, LabelError, MissingDependencyError


def test_an_array_of_records_becomes_a_batch_with_rates_leads_units_and_labels():
    batch = EcgBatch.from_arrays(np.ones((2, 2, 5)), fs=250, leads=["ii", "Lead V1"], targets=["N", "A"])
    assert batch.ids == ("0", "1")
    assert batch.signal.dense().shape == (2, 2, 5)
    assert batch.signal.dtype == np.float32
    assert batch.fs.tolist() == [250.0, 250.0]
    assert batch.meta[1]["leads"] == ("II", "V1")
    assert batch.meta[1]["units"] == ("mV", "mV")
    assert batch.target.tolist() == ["N", "A"]
    assert batch.classes == ("A", "N")
    assert batch.binarize_labels().target.tolist() == [[0, 1], [1, 0]]


def test_values_that_differ_between_records_are_given_per_record():
    batch = EcgBatch.from_arrays(
        [np.zeros((1, 3)), np.zeros((2, 4))],
        fs=[100, 200],
        leads=[["I"], ["I", "II"]],
        units=[["mV"], ["mV", "adu"]],
        targets=[("A", "B"), ("B",)],
        classes=["B", "A", "C"],
        annotations=[Annotation(), Annotation(sample=np.array([2]))],
        ids=["x", "y"],
    )
    assert batch.signal.lengths.tolist() == [3, 4]
    assert batch.fs.tolist() == [100.0, 200.0]
    assert (batch.meta[0]["leads"], batch.meta[1]["units"]) == (("I",), ("mV", "adu"))
    assert (batch.target[0], batch.classes) == (("A", "B"), ("B", "A", "C"))
    assert (batch.ids, len(batch.annotation[1])) == (("x", "y"), 1)


def test_integers_need_a_unit_as_in_a_dataset():
    steps = np.full((1, 2, 5), 1500, np.int16)
    with pytest.raises(InputError, match=r"signals\[0\] is of type int16, whose unit is not known\. Pass units='uV'"):
        EcgBatch.from_arrays(steps, fs=250)
    batch = EcgBatch.from_arrays(steps, fs=250, units="uV").convert_units("mV")
    assert batch.signal[0].tolist() == [[1.5] * 5] * 2
    assert EcgBatch.from_arrays(steps, fs=250, units="adu").meta[0]["units"] == ("adu", "adu")


def test_numbers_stay_numbers_and_a_table_of_them_is_binarized():
    assert EcgBatch.from_arrays(np.zeros((2, 1, 3)), fs=1, targets=np.array([61.5, 40])).target.tolist() == [61.5, 40]
    table = EcgBatch.from_arrays(np.zeros((2, 1, 3)), fs=1, targets=np.eye(2), classes=["A", "N"])
    assert (table.target.dtype, table.classes) == (np.float32, ("A", "N"))


def test_actions_run_on_it_and_keep_a_subclass():
    class Mine(EcgBatch):
        pass

    batch = Mine.from_arrays(np.random.default_rng(0).normal(size=(2, 1, 500)), fs=250).resample_signals(125)
    assert type(batch) is Mine
    assert batch.signal.lengths.tolist() == [250, 250]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"signals": np.zeros((2, 5))}, r"signal 0 is an array of shape \(5,\).*Pass x\[None\] for a single lead"),
        ({"signals": [np.zeros((1, 5)), np.array([["x"]])]}, "signal 1 is an array of shape .* and type <U1"),
        ({"signals": np.zeros((2, 500, 12))}, r"signal 0 has shape \(500, 12\), .*500 leads of 12 samples.* Pass x\.T"),
        ({"fs": [1, 2, 3]}, r"fs=\[1, 2, 3\]\): expected one sampling rate in Hz, or 2 of them"),
        ({"fs": 0}, r"fs=0\): expected sampling rates above 0 Hz"),
        ({"leads": ["I", "II"]}, r"leads=\['I', 'II'\]\) does not fit signals of \[1\] leads"),
        ({"units": [["mV"]]}, r"units=.* does not fit signals"),
        ({"targets": ["A"]}, "targets=…. has 1 entries for 2 signals"),
        ({"annotations": [Annotation()]}, "expected 2 Annotation objects, one per signal"),
        ({"ids": ["a", "a"]}, "has the id 'a' twice"),
        ({"ids": [1, 2]}, "expected 2 texts, one per signal"),
    ],
)
def test_an_error_names_the_argument_that_does_not_fit_the_signals(changes, text):
    given = {"signals": np.zeros((2, 1, 5)), "fs": 100} | changes
    with pytest.raises(InputError, match=text):
        EcgBatch.from_arrays(given.pop("signals"), **given)


def test_short_windows_and_body_surface_maps_are_not_taken_for_turned_arrays():
    for shape in ((32, 1), (252, 252)):
        assert EcgBatch.from_arrays(np.zeros((1, *shape)), fs=100).signal[0].shape == shape


def test_a_target_outside_the_classes_is_refused():
    with pytest.raises(LabelError, match=r"'B' is not one of classes=\('A',\)"):
        EcgBatch.from_arrays(np.zeros((2, 1, 5)), fs=1, targets=["A", "B"], classes=["A"])


def test_an_error_for_a_bare_array_says_how_to_pass_it():
    with pytest.raises(InputError) as caught:
        EcgBatch(ids=("a",), signal=np.zeros((1, 1, 5)))
    assert str(caught.value) == (
        "EcgBatch(signal=…) is a ndarray; expected a Ragged. "
        "Call EcgBatch.from_arrays(signals, fs=…), which takes arrays."
    )


def test_an_error_without_pandas_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"not installed\. Install it with: pip install pandas"):
        Meta({"fs": [1.0]}, 1).to_frame()


def test_one_number_per_record_keeps_its_type_and_rows_of_them_become_float32() -> None:
    signals = [np.zeros((1, 10), np.float32)] * 2
    one = EcgBatch.from_arrays(signals, fs=250, targets=np.array([3, 5]))
    rows = EcgBatch.from_arrays(signals, fs=250, targets=np.array([[3, 5], [1, 2]]))
    assert one.target.dtype == np.int64
    assert rows.target.dtype == np.float32
