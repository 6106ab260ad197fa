"""Checked by mypy and never run: mypy must reject each line with ``# error:``, for that reason, and no other line."""

from __future__ import annotations

from typing import assert_type

from cardioflow import B, C, EcgBatch, EcgDataset, F, Pipeline, V


class MyBatch(EcgBatch):
    """A custom batch class."""


def pipelines(dataset: EcgDataset) -> None:
    template = Pipeline().load(fmt="wfdb", components=["signal", "meta"]).resample_signals(250)
    assert_type(template.standardize().binarize_labels(), Pipeline)
    dataset >> template.standardize()
    template.resample_signals(C("fs")).predict_on_batch("fft_inception", save_to=V("prediction"))
    template.random_split_signals(F(len), n_segments={"A": 9, "N": 3})
    template.standardise()  # error: attr-defined
    template.resample_signals("fast")  # error: arg-type
    template.band_pass_signals(lo=0.5)  # error: call-arg
    template.random_split_signals(3000)  # error: call-arg


def batches(batch: EcgBatch, mine: MyBatch) -> None:
    assert_type(mine.standardize().resample_signals(250), MyBatch)
    assert_type(batch.load(fmt="wfdb"), EcgBatch)
    batch.standardise()  # error: attr-defined
    batch.resample_signals(B("fs"))  # error: arg-type
    batch.train_on_batch("fft_inception")  # error: attr-defined
