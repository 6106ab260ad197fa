"""Leads of one name are told apart in an answer on quality."""

from __future__ import annotations

import numpy as np
import pytest

import cardioflow
from cardioflow import EcgDataset
from cardioflow.analysis.lead_names import distinct_names


def test_two_leads_of_one_name_are_both_in_the_answer_on_quality():
    good = EcgDataset.simulated(1, rhythms=["SR"], duration_s=10, fs=500, leads="I").next_batch(1).load().signal[0]
    x = np.concatenate([np.zeros_like(good), good, good])
    (found,) = cardioflow.load("quality").predict(x, fs=500, leads=["ECG", "II", "ECG"])
    assert list(found.lead_quality) == ["ECG", "II", "ECG (2)"]
    assert [own.acceptable for own in found.lead_quality.values()] == [False, True, True]


@pytest.mark.parametrize("leads", [["ECG", "ECG"], ["ECG", "ECG (2)", "ECG"]])
def test_the_name_of_a_second_lead_is_a_new_one(leads):
    assert len(set(distinct_names(leads))) == len(leads)
    assert distinct_names(leads)[0] == "ECG"
