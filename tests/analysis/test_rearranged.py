"""Records made of another's beats hold the rhythms that they are made for."""

from __future__ import annotations

import numpy as np
from recipes.beat_classes.rearranged import rearranged

FS = 360.0


def test_made_records_hold_mostly_early_beats_bigeminy_and_pauses_with_the_classes_of_their_beats() -> None:
    rng = np.random.default_rng(0)
    early = np.arange(800) % 20 == 10
    rr = np.where(early, 0.5, np.where(np.roll(early, 1), 1.1, 0.8)) + rng.normal(0, 0.01, 800)
    beats = np.round(np.cumsum(rr) * FS).astype(np.int64)
    t = np.arange(beats[-1] + 360)
    x = np.zeros(t.size)
    for at, s in zip(beats, early, strict=True):
        x[at - 5 : at + 6] += np.hanning(11) * (1.5 if s else 1.0)
    classes = np.where(early, "S", "N")
    found = {own.kind: own for own in rearranged(x[None], FS, beats, classes, rng)}
    assert set(found) == {"runs", "bigeminy", "pauses"}
    assert (found["runs"].classes == "S").mean() > 0.6
    assert set(found["pauses"].classes) == {"N"}
    for own in found.values():
        assert (np.diff(own.beats) > 0.3 * FS).all()
        # Each beat is where its QRS is, and as high as those of its class.
        top = np.array([own.signal[0, max(at - 3, 0) : at + 4].max() for at in own.beats])
        assert (top[own.classes == "S"] > 1.3).all()
        assert (top[own.classes == "N"] < 1.2).all()
    intervals = np.diff(found["bigeminy"].beats) / FS
    before_early = intervals[found["bigeminy"].classes[1:] == "S"]
    # The stretch before an early beat is shorter, which takes 30 ms off.
    np.testing.assert_allclose(np.median(before_early), 0.47, atol=0.01)
    assert np.quantile(np.diff(found["pauses"].beats) / FS, 0.95) > 1.1
