"""The shape and sampling rate in a dump hold for all training batches."""

from __future__ import annotations

import pytest

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
            # On purpose, as after this action: nothing is said of it.
            own = batch.replace(history=("random_resample_signals",))
            signature.add(own, own.signal.dense())
        assert signature == InputSignature((1, 400), None)


@pytest.mark.parametrize("late", [False, True])
def test_a_warning_names_the_rates_of_records_that_a_model_cannot_tell_apart(make_batch, late) -> None:
    one = make_batch(2)
    mixed = one.replace(meta=one.meta.with_columns(fs=[300.0, 250.0]))
    signature = InputSignature()
    if late:
        signature.add(one, one.signal.dense())
    said = r"different sampling rates \(250, 300 Hz\).* Call resample_signals\(300\) before the model"
    with pytest.warns(UserWarning, match=said):
        signature.add(mixed, mixed.signal.dense())
    signature.add(mixed, mixed.signal.dense())  # said once: a second warning would be an error here
    assert signature.fs is None


def test_rates_of_devices_that_are_almost_equal_are_one_rate(make_batch) -> None:
    one = make_batch(2)
    signature = InputSignature()
    signature.add(one, one.signal.dense())
    signature.add(one.replace(meta=one.meta.with_columns(fs=[299.9, 300.0])), one.signal.dense())
    assert signature.fs == 300.0
