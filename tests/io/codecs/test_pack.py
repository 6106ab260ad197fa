from __future__ import annotations

import numpy as np
import pytest

from cardioflow.io._codecs.pack import pack
from cardioflow.io._codecs.unpack import BLOCKS, MISSING, n_bytes, unpack


@pytest.mark.parametrize("fmt", sorted(BLOCKS.keys() & MISSING))
@pytest.mark.parametrize("n", [1, 2, 3, 100])
def test_packing_is_undone_by_unpacking(fmt, n):
    lowest, highest = MISSING[fmt], -MISSING[fmt] - 1
    samples = np.random.default_rng(n).integers(lowest, highest + 1, n)
    samples[0], samples[-1] = highest, lowest
    raw = pack(samples, fmt)
    assert len(raw) == n_bytes(fmt, n)
    np.testing.assert_array_equal(unpack(raw, fmt, 0, n), samples)
