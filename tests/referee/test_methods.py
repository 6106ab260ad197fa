"""Methods under test: functions of the user, what they may return, and what peers are given."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from cardioflow.errors import InputError, UnknownNameError
from cardioflow.referee.methods.base import beat_method, first_lead, imported
from cardioflow.referee.model_methods import model_method
from cardioflow.referee.rhythm_methods import rhythm_method

ANSWER = None
number = 7


def give(*args):
    """What a test has put down, whatever is asked."""
    return ANSWER


class Trained:
    trained_on = ("mitdb/100", "qtdb/sel102")

    def __call__(self, signal, fs):
        return [1]


trained = Trained()


class Beats:
    sample = np.array([5, 9])


@pytest.fixture
def answer(mine, request):
    def put(value):
        # The module that ``mine`` is, and not a copy of it.
        sys.modules["mine"].ANSWER = value

    return put


@pytest.mark.parametrize(
    ("returned", "samples"),
    [
        ([3, 50], [3, 50]),
        ((3, 50), [3, 50]),
        (np.array([3, 50], np.int16), [3, 50]),
        (np.array([3, 50], np.uint64), [3, 50]),
        ([], []),
        (np.empty(0), []),
        (Beats(), [5, 9]),
    ],
    ids=["a list", "a tuple", "int16", "uint64", "an empty list", "an empty array", "what our detectors return"],
)
def test_beats_may_be_any_list_of_whole_numbers(answer, returned, samples):
    answer(returned)
    found = beat_method("mine:give").beats(np.zeros((1, 100), np.float32), 250.0)
    assert found.dtype == np.int64
    assert found.tolist() == samples


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ([0.5, 1.5], r"returned float64 of shape \(2,\)\. Return the samples of the beats, as a list of whole numbers"),
        ([[1, 2]], r"returned int64 of shape \(1, 2\)"),
        (5, r"returned int64 of shape \(\)"),
        (np.array([False, True]), r"returned bool of shape \(2,\)"),
        (None, r"returned object of shape \(\)"),
        (["3"], r"returned <U1 of shape \(1,\)"),
    ],
    ids=["seconds", "two dimensions", "one number", "a mask", "nothing", "texts"],
)
def test_what_are_no_samples_is_refused_with_what_came(answer, returned, said):
    answer(returned)
    with pytest.raises(InputError, match=f"mine:give {said}"):
        beat_method("mine:give").beats(np.zeros((1, 100), np.float32), 250.0)


@pytest.mark.parametrize(
    ("returned", "episodes"),
    [
        ([(1, 2), (5.5, 9)], [(1.0, 2.0), (5.5, 9.0)]),
        (np.array([[1.0, 2.0]]), [(1.0, 2.0)]),
        ([], []),
        (np.empty((0, 2)), []),
        (iter([(1, 2)]), [(1.0, 2.0)]),
    ],
)
def test_episodes_may_be_any_pairs_of_seconds(answer, returned, episodes):
    answer(returned)
    found = rhythm_method("mine:give").episodes(np.zeros((1, 100), np.float32), 250.0, np.array([1, 2]))
    assert found == episodes


@pytest.mark.parametrize("returned", [[(2, 1)], [1, 2], [(1, float("nan"))], [[1, 2, 3]]])
def test_what_are_no_pairs_from_earlier_to_later_is_refused(answer, returned):
    answer(returned)
    with pytest.raises(InputError, match=r"mine:give returned float64 of shape .* Return a list of pairs"):
        rhythm_method("mine:give").episodes(np.zeros((1, 100), np.float32), 250.0, np.array([1, 2]))


@pytest.mark.usefixtures("mine")
def test_a_function_may_say_what_it_was_trained_on():
    assert beat_method("mine:trained").training_data == ("mitdb/100", "qtdb/sel102")
    assert beat_method("mine:give").training_data == ()
    assert beat_method("two_pass").training_data == beat_method("ours").training_data != ()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "mine:nothing",
            r"'mine:nothing' cannot be imported: .*nothing.*\. Pass module:function, importable from here",
        ),
        ("no_such_module:f", r"'no_such_module:f' cannot be imported: No module named 'no_such_module'"),
        (":f", r"':f' cannot be imported: Empty module name"),
        ("mine:number", r"'mine:number' is a int, which cannot be called"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_a_function_that_is_not_there_is_named(name, said):
    with pytest.raises(InputError, match=said):
        imported(name)


@pytest.mark.parametrize(
    ("make", "name", "nearest"),
    [
        (beat_method, "xqr", "xqrs"),
        (beat_method, "our", "ours"),
        (beat_method, "two_pas", "two_pass"),
        (rhythm_method, "ours_classes", "ours-classes"),
        # A delineator is no detector of beats.
        (beat_method, "neurokit_dwt", "neurokit"),
    ],
)
def test_a_name_that_is_not_known_is_answered_with_the_nearest(make, name, nearest):
    with pytest.raises(UnknownNameError, match=rf"{name!r}\. .*{nearest}"):
        make(name)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([1, np.nan, np.nan, 4], [1, 1, 1, 4]),
        ([np.nan, np.nan, 3, np.nan], [0, 0, 3, 3]),
        ([np.nan, np.nan], [0, 0]),
        ([1, np.inf, -np.inf, 2], [1, 1, 1, 2]),
        ([], []),
    ],
    ids=["whole", "a gap", "gaps at both ends", "nothing at all", "infinite", "empty"],
)
def test_peers_get_the_last_sample_again_where_one_is_missing(given, taken):
    signal = np.array([given, np.full(len(given), 9.0)], np.float32)
    found = first_lead(signal)
    assert found.dtype == np.float64
    assert found.tolist() == taken
    assert np.array_equal(signal[0], np.array(given, np.float32), equal_nan=True), "the record is not changed"


@pytest.mark.parametrize("name", ["ours", "sleepecg", "gqrs"])
def test_a_gap_costs_no_beat_beside_it(data, name):
    from cardioflow.referee.records import records_of

    record = next(records_of(data / "mitdb", only=["119"]))
    signal = record.signal[:1, : 40 * 360].copy()
    whole = beat_method(name).beats(signal, 360.0)
    signal[:, 15 * 360 : 20 * 360] = np.nan
    found = beat_method(name).beats(signal, 360.0)
    outside = (whole < 14 * 360) | (whole > 21 * 360)
    near = np.abs(whole[outside][:, None] - found[None, :]).min(axis=1)
    # A beat or two of the beginning may move with a threshold; the others stay to 20 ms.
    assert (near <= 7).mean() > 0.93
    assert ((found > 15.5 * 360) & (found < 19.5 * 360)).sum() == 0, "there are no beats in a gap"


@pytest.fixture(scope="module")
def file(tmp_path_factory, record):
    return record(tmp_path_factory.mktemp("one"), "r", [(10, "N")], n=50) / "r.hea"


def asked(file, *, exclusive, classes=("A", "N", "O")):
    (found,) = model_method("mine:give").answers([file], classes, exclusive=exclusive)
    return found


@pytest.mark.parametrize(
    ("returned", "exclusive", "given"),
    [
        ({"A": 0.2, "N": 0.7, "O": 0.1}, True, (("N",), {"A": 0.2, "N": 0.7, "O": 0.1})),
        ({"A": 0.5, "N": 0.7, "O": 0.4}, False, (("A", "N"), {"A": 0.5, "N": 0.7, "O": 0.4})),
        ({"A": 0.1, "N": 0.2}, False, ((), {"A": 0.1, "N": 0.2})),
        # No label of several has half, and one has to be given where labels exclude each other.
        ({"A": 0.4, "N": 0.3, "O": 0.3}, True, (("A",), {"A": 0.4, "N": 0.3, "O": 0.3})),
        ({"A": np.float32(1), "N": 0}, True, (("A",), {"A": 1.0, "N": 0.0})),
        ("O", True, (("O",), {})),
        (np.str_("O"), False, (("O",), {})),
    ],
    ids=["one", "several", "none", "less than half", "numpy", "a label", "a label of numpy"],
)
def test_a_label_or_a_probability_for_each_is_an_answer(answer, file, returned, exclusive, given):
    answer(returned)
    found = asked(file, exclusive=exclusive)
    assert (found.labels, dict(found.probabilities)) == given
    assert found.reason is None


def test_a_record_that_a_function_cannot_judge_has_a_reason(answer, file):
    answer(None)
    found = asked(file, exclusive=True)
    assert (found.labels, found.reason) == ((), "The function returned None.")


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ({"A": 1.2, "N": 0.1}, r"Return a probability from 0 to 1 for each label"),
        ({"A": -0.1, "N": 0.1}, r"Return a probability from 0 to 1 for each label"),
        ({"A": float("nan"), "N": 0.1}, r"Return a probability from 0 to 1 for each label"),
        ({}, r"mine:give returned \{\}\. Return a probability"),
        ({"B": 0.5, "N": 0.1}, r"mine:give returned the label 'B', and the table has A, N, O"),
        ("AF", r"returned the label 'AF', and the table has A, N, O"),
        (["A"], r"mine:give returned a list\. Return a label, or a dict of a probability for each label, or None"),
        (0.7, r"mine:give returned a float\."),
        (np.array([0.1, 0.9]), r"mine:give returned a ndarray\."),
    ],
    ids=["above 1", "below 0", "not a number", "empty", "unknown", "unknown label", "a list", "a number", "an array"],
)
def test_what_is_no_answer_is_refused(answer, file, returned, said):
    answer(returned)
    with pytest.raises(InputError, match=said):
        asked(file, exclusive=True)


def test_a_file_that_cannot_be_read_is_not_judged_and_says_why(answer, tmp_path):
    answer("N")
    (tmp_path / "broken.hea").write_text("broken 1 100\nnothing.dat 16 200 16 0 0 0 0 I\n")
    found = asked(tmp_path / "broken.hea", exclusive=True)
    assert found.labels == ()
    assert "broken" in found.reason or "nothing.dat" in found.reason
