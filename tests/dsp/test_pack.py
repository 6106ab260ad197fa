from __future__ import annotations

import numpy as np
import pytest

from cardioflow.dsp.pack import RANGES, pack
from cardioflow.dsp.unpack import MISSING, n_bytes, unpack


@pytest.mark.parametrize("fmt", RANGES)
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_packing_is_undone_by_unpacking(fmt, n):
    low, high = RANGES[fmt]
    samples = np.random.default_rng(n).integers(low - 1, high + 1, n)
    samples[0] = high
    raw = pack(samples, fmt)
    assert len(raw) == n_bytes(fmt, n)
    np.testing.assert_array_equal(unpack(raw, fmt, 0, n), samples)


def test_the_lowest_number_is_left_for_the_missing_sample():
    assert {fmt: low - 1 for fmt, (low, _) in RANGES.items()} == {fmt: MISSING[fmt] for fmt in RANGES}
