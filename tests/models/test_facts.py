"""What a dump says of the input holds for all batches of the training."""

from __future__ import annotations

from cardioflow.models._signature import InputSignature
from cardioflow.models.dump_header import DumpHeader


def test_what_all_batches_have_in_common_is_kept(make_batch) -> None:
    facts = InputSignature()
    for _ in range(2):
        facts.add(make_batch(3, (2, 50)), make_batch(3, (2, 50)).signal.dense())
    assert facts.header() == {"input_shape": (2, 50), "fs": 300.0, "leads": ("I", "II")}
    assert InputSignature.of(DumpHeader(**facts.header())).header() == facts.header()


def test_what_differs_between_or_within_batches_is_not_claimed(make_batch) -> None:
    one = make_batch(2)
    mixed = one.replace(meta=one.meta.with_columns(fs=[300.0, 250.0], leads=[("I",), ("MLII",)]))
    for batches in ((mixed, one), (one, mixed), (one.replace(meta=None), one)):
        facts = InputSignature()
        for batch in batches:
            facts.add(batch, batch.signal.dense())
        assert facts.header() == {"input_shape": (1, 400), "fs": None, "leads": None}
