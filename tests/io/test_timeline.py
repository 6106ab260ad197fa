from __future__ import annotations

import numpy as np
import pytest

from cardioflow.errors import FormatError
from cardioflow.io._record import Waveform
from cardioflow.io._timeline import join_waves


def _wave(names: str, *rows: list[float], fs: float = 10.0) -> Waveform:
    return Waveform(np.array(rows, np.float32), fs, tuple(names.split()))


def test_one_part_is_the_whole() -> None:
    wave = _wave("V1", [1, 2])
    assert join_waves([(5.0, wave)], 100) is wave


def test_parts_are_placed_at_their_recording_times() -> None:
    whole = join_waves([(7.2, _wave("V2 V1", [3, 4], [5, 6])), (7.0, _wave("V1", [1, 2]))], 100)
    assert whole.names == ("V2", "V1")
    np.testing.assert_array_equal(whole.signal, [[np.nan, np.nan, 3, 4], [1, 2, 5, 6]])
    assert whole.fs == 10.0


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([(0, _wave("V1", [1])), (1, _wave("V1", [1], fs=20.0))], "different sampling rates: 10, 20 Hz"),
        ([(0, _wave("V1", [1], fs=0.0)), (1, _wave("V1", [1], fs=0.0))], "different sampling rates: 0 Hz"),
        ([(0, _wave("V1", [1, 2])), (0.1, _wave("V1", [1]))], "holds lead 'V1' twice at one time"),
        ([(0, _wave("V1", [1])), (1e9, _wave("V1", [1]))], "too far apart in time: together they would last 1e\\+09 s"),
        ([(0, _wave("V1", [1])), (float("nan"), _wave("V1", [1]))], "too far apart in time"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts: list[tuple[float, Waveform]], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        join_waves(parts, 100)
