"""Beats: where the QRS complexes are, in one lead or several, of a whole signal or in chunks."""

from cardioflow.analysis.beats.beats import Beats, Unmeasured
from cardioflow.analysis.beats.detect import detect_beats
from cardioflow.analysis.beats.stream import BeatStream

__all__ = ["BeatStream", "Beats", "Unmeasured", "detect_beats"]
