"""Labels are dropped, kept, renamed and binarized, in single- and multi-label batches."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.errors import InputError, LabelError


def objects(*values):
    out = np.empty(len(values), dtype=object)
    for i, v in enumerate(values):
        out[i] = v
    return out


@pytest.fixture
def single(make):
    return make(*[np.zeros((1, 4))] * 4, target=objects("A", "N", "~", "A"), classes=("A", "N", "O", "~"))


@pytest.fixture
def several(make):
    return make(*[np.zeros((1, 4))] * 3, target=objects(("AF", "PVC"), ("PVC",), ()), classes=("AF", "PVC", "SR"))


def test_dropping_a_label_drops_its_records_and_its_class(single):
    done = single.drop_labels(["~", "N"])
    assert done.target.tolist() == ["A", "A"]
    assert done.ids == ("A00000", "A00003")
    assert done.classes == ("A", "O")


def test_a_record_with_several_labels_loses_the_dropped_ones_and_is_dropped_with_its_last(several):
    done = several.drop_labels("PVC")
    assert done.target.tolist() == [("AF",), ()]
    assert done.ids == ("A00000", "A00002")
    assert done.classes == ("AF", "SR")


def test_keeping_labels_keeps_the_records_that_have_one_of_them(single, several):
    assert single.keep_labels(["A", "O"]).ids == ("A00000", "A00003")
    done = several.keep_labels(["AF"])
    assert done.target.tolist() == [("AF",)]
    assert done.classes == ("AF",)


def test_dropping_every_label_leaves_an_empty_batch(single):
    done = single.drop_labels(["A", "N", "~"])
    assert len(done) == 0
    assert len(done.binarize_labels().target) == 0


def test_renaming_two_labels_to_one_merges_their_classes(single, several):
    done = single.rename_labels({"N": "NO", "O": "NO"})
    assert done.target.tolist() == ["A", "NO", "~", "A"]
    assert done.classes == ("A", "NO", "~")
    assert several.rename_labels({"AF": "X", "PVC": "X"}).target.tolist() == [("X",), ("X",), ()]


def test_binarized_labels_have_one_column_per_class(single, several):
    assert single.binarize_labels().target.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    assert several.binarize_labels().target.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert single.binarize_labels().target.dtype == np.float32
    two = single.drop_labels(["~", "O"]).binarize_labels()
    assert two.target.shape == (3, 2)


@pytest.mark.parametrize(
    ("action", "argument", "field"),
    [
        ("drop_labels", ["B"], "drop_list"),
        ("keep_labels", ["B"], "keep_list"),
        ("rename_labels", {"B": "C"}, "rename_dict"),
    ],
)
def test_a_label_that_cannot_occur_is_refused_with_those_that_can(single, action, argument, field):
    with pytest.raises(LabelError) as caught:
        getattr(single, action)(argument)
    assert str(caught.value) == f"{action}({field}=…) names the unknown label 'B'. Available: 'A', 'N', 'O', '~'."


def test_any_label_is_accepted_if_the_batch_has_no_classes(single):
    assert len(single.replace(classes=None).drop_labels(["B", "A"])) == 2


@pytest.mark.parametrize("action", ["drop_labels", "keep_labels"])
def test_labels_cannot_be_dropped_after_they_were_binarized(single, action):
    with pytest.raises(LabelError) as caught:
        getattr(single.binarize_labels(), action)(["A"])
    assert (
        str(caught.value)
        == f"{action} works on labels, but they are binarized already. Call it before binarize_labels."
    )


def test_an_error_of_binarizing_names_what_is_missing(single):
    with pytest.raises(LabelError) as caught:
        single.replace(classes=None).binarize_labels()
    assert "batch.classes, but they are unknown. Load the target from a table" in str(caught.value)
    with pytest.raises(LabelError, match=r"the batch has none\. Load them first: load\(src=…, components='target'\)"):
        single.replace(target=None).binarize_labels()
    with pytest.raises(LabelError) as caught:
        single.replace(classes=("N", "O", "~")).binarize_labels()
    assert str(caught.value) == (
        "Record 'A00000' has the label 'A', which is not in batch.classes. Available: 'N', 'O', '~'."
    )


def test_a_record_without_a_label_is_named(single):
    with pytest.raises(LabelError) as caught:
        single.replace(target=objects("A", None, "N", "A")).drop_labels(["A"])
    assert str(caught.value) == (
        "drop_labels found None instead of a label for record 'A00001'. Add it to the table, or leave the record out."
    )


@pytest.mark.parametrize(
    ("argument", "text"), [([], "is empty"), ([1], "is not a list of names"), (3, "is not a list of names")]
)
def test_a_value_that_is_not_a_list_of_labels_is_refused_at_once(single, argument, text):
    with pytest.raises(InputError, match=text):
        single.drop_labels(argument)


def test_real_labels_can_be_processed_as_in_the_guide(records):
    done = records.drop_labels(["~"]).rename_labels({"N": "NO", "O": "NO"}).binarize_labels()
    kept = [t for t in records.target if t != "~"]
    assert done.classes == ("A", "NO")
    assert done.target[:, 0].tolist() == [float(t == "A") for t in kept]
    assert (done.target.sum(axis=1) == 1).all()
