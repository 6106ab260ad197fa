"""The shape and sampling rate in a dump hold for all training batches."""

from __future__ import annotations

from cardioflow.models._signature import InputSignature


def test_the_signature_keeps_what_all_batches_have_in_common(make_batch) -> None:
    signature = InputSignature()
    for _ in range(2):
        signature.add(make_batch(3, (2, 50)), make_batch(3, (2, 50)).signal.dense())
    assert signature == InputSignature((2, 50), 300.0)


def test_rates_that_differ_between_or_within_batches_are_not_claimed(make_batch) -> None:
    one = make_batch(2)
    mixed = one.replace(meta=one.meta.with_columns(fs=[300.0, 250.0]))
    for batches in ((mixed, one), (one, mixed), (one.replace(meta=None), one)):
        signature = InputSignature()
        for batch in batches:
            signature.add(batch, batch.signal.dense())
        assert signature == InputSignature((1, 400), None)
