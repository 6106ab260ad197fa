"""From a model's numbers to labels: one of exclusive classes, any number of independent ones."""

from __future__ import annotations

import numpy as np
import pytest

from cardioflow.bundle.interpretation import interpret
from cardioflow.models.dump_header import DumpHeader

CLASSES = ("AF", "SR", "VT")


def labels(output: list[float], meaning: str = "exclusive", **thresholds: float) -> tuple[str, ...]:
    header = DumpHeader(output=meaning, classes=CLASSES[: len(output)])
    return interpret("r", None, np.array(output, np.float32), header, thresholds).labels


def test_of_exclusive_classes_the_most_probable_is_given() -> None:
    assert labels([0.2, 0.5, 0.3]) == ("SR",)
    assert labels([0.2, 0.35, 0.45]) == ("VT",)


def test_an_exclusive_class_that_reaches_its_threshold_goes_first() -> None:
    assert labels([0.3, 0.6, 0.1], AF=0.25) == ("AF",)
    assert labels([0.3, 0.6, 0.1], AF=0.25, VT=0.05) == ("AF",)
    assert labels([0.2, 0.6, 0.2], AF=0.25, VT=0.05) == ("VT",)


def test_an_exclusive_class_below_its_threshold_is_not_given() -> None:
    assert labels([0.5, 0.3, 0.2], AF=0.6) == ("SR",)


def test_where_no_class_reaches_its_threshold_the_most_probable_is_given() -> None:
    assert labels([0.5, 0.3, 0.2], AF=0.9, SR=0.9, VT=0.9) == ("AF",)


def test_independent_labels_are_given_from_one_half_on() -> None:
    assert labels([0.5, 0.49, 0.9], "independent") == ("AF", "VT")
    assert labels([0.1, 0.2, 0.3], "independent") == ()


def test_an_independent_label_is_given_from_its_threshold_on() -> None:
    assert labels([0.25, 0.5, 0.9], "independent", AF=0.25, VT=0.95) == ("AF", "SR")


@pytest.mark.parametrize("meaning", ["exclusive", "independent"])
def test_a_single_output_is_a_probability_of_its_own(meaning: str) -> None:
    assert labels([0.4], meaning) == ()
    assert labels([0.6], meaning) == ("AF",)
    assert labels([0.4], meaning, AF=0.3) == ("AF",)
