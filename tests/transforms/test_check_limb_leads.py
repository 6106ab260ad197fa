"""Limb leads of real 12-lead records are checked against Einthoven's and Goldberger's laws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cardioflow import EcgBatch, EcgDataset


@pytest.fixture(scope="module")
def twelve(data: Path) -> EcgBatch:
    records = EcgDataset(data / "ptbxl" / "records500" / "*" / "*.hea")
    return records.next_batch(len(records)).load(fmt="wfdb", components=["signal", "meta"])


def test_ptbxl_obeys_the_laws_to_its_resolution(twelve: EcgBatch) -> None:
    meta = twelve.check_limb_leads().limb_leads
    assert len(meta) == 10
    assert all(row["einthoven_rms"] < 0.02 for row in meta)
    assert all(row["goldberger_rms"] < 0.02 for row in meta)


def test_an_inverted_lead_is_detected(twelve: EcgBatch) -> None:
    turned = twelve.apply_transform(lambda x: x * np.where(np.arange(12) == 0, -1, 1)[:, None])
    assert all(row["einthoven_rms"] > 0.1 for row in turned.check_limb_leads().limb_leads)


def test_a_single_lead_cannot_be_checked(cinc: Path) -> None:
    batch = EcgDataset(cinc / "A0001*.hea").next_batch(2).load(fmt="wfdb").check_limb_leads()
    assert [row["einthoven_rms"] for row in batch.limb_leads] == [None, None]


def test_segments_of_a_record_are_judged_together(twelve: EcgBatch) -> None:
    whole, cut = twelve.check_limb_leads(), twelve.split_signals(1000, 1000).check_limb_leads()
    for a, b in zip(whole.limb_leads, cut.limb_leads, strict=True):
        assert a["einthoven_rms"] == pytest.approx(b["einthoven_rms"], rel=1e-5)
