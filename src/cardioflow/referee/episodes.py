"""Episodes of a rhythm: how many, and how much of their time, two annotators share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self, final

from cardioflow.referee.counts import Counts, gross

__all__ = ["Episode", "EpisodeScore", "gross_episodes", "outside", "overlap", "score_episodes", "tidy"]

Episode = tuple[float, float]
"""The start and the end in seconds."""


@final
@dataclass(frozen=True)
class EpisodeScore:
    """The statistics of ANSI/AAMI EC57 for episodes, as WFDB's ``epicmp`` counts them."""

    reference: int
    """Episodes of the reference."""
    reference_met: int
    """Those that any found episode overlaps; their share is the episode sensitivity."""
    found: int
    found_met: int
    """Found episodes that any of the reference overlaps; their share is the episode PPV."""
    reference_s: float
    found_s: float
    shared_s: float
    """The overlap; its share of ``reference_s`` is the duration sensitivity, of ``found_s`` the duration PPV."""

    def __add__(self, other: Self) -> EpisodeScore:
        return EpisodeScore(
            self.reference + other.reference,
            self.reference_met + other.reference_met,
            self.found + other.found,
            self.found_met + other.found_met,
            self.reference_s + other.reference_s,
            self.found_s + other.found_s,
            self.shared_s + other.shared_s,
        )

    @property
    def durations(self) -> Counts:
        """The seconds that are shared, missed and false, to the nearest millisecond and in milliseconds."""
        shared, reference, found = (round(1000 * s) for s in (self.shared_s, self.reference_s, self.found_s))
        return Counts(shared, reference - shared, found - shared)


def tidy(episodes: Iterable[Sequence[float]], start_s: float, end_s: float) -> tuple[Episode, ...]:
    """Return the episodes within a span, in order of time; those that overlap or touch are one."""
    kept: list[Episode] = []
    for begin, end in sorted((max(float(a), start_s), min(float(b), end_s)) for a, b in episodes):
        if end <= begin:
            continue
        if kept and begin <= kept[-1][1]:
            kept[-1] = (kept[-1][0], max(kept[-1][1], end))
        else:
            kept.append((begin, end))
    return tuple(kept)


def overlap(episodes: Sequence[Episode], others: Sequence[Episode]) -> float:
    """Return the seconds that both hold; the episodes of each must not overlap."""
    return sum(max(min(b, d) - max(a, c), 0.0) for a, b in episodes for c, d in others)


def outside(episodes: Sequence[Episode], excluded: Sequence[Episode]) -> tuple[Episode, ...]:
    """Return what is left of the episodes without the time of ``excluded``."""
    kept: list[Episode] = []
    for begin, end in episodes:
        start = begin
        for first, last in excluded:
            if first < end and last > start:
                if first > start:
                    kept.append((start, first))
                start = max(start, last)
        if start < end:
            kept.append((start, end))
    return tuple(kept)


def score_episodes(
    reference: Sequence[Episode], found: Sequence[Episode], excluded: Sequence[Episode] = ()
) -> EpisodeScore:
    """Return the score of ``found``: an overlap of any length meets an episode. All are tidy.

    Of found episodes, the time of ``excluded`` does not count. What is left of one on both sides is still one, and one
    that lies within it is none.
    """
    parts = [left for one in found if (left := outside([one], excluded))]
    rest = [piece for own in parts for piece in own]
    return EpisodeScore(
        len(reference),
        sum(overlap([one], rest) > 0 for one in reference),
        len(parts),
        sum(overlap(own, reference) > 0 for own in parts),
        sum(b - a for a, b in reference),
        sum(b - a for a, b in rest),
        overlap(reference, rest),
    )


def gross_episodes(scores: Sequence[EpisodeScore]) -> dict[str, tuple[float, float, float]]:
    """Return episode and duration sensitivity and PPV of all records together, each with its 95 % interval.

    The names are ``"episode sensitivity"``, ``"episode ppv"``, ``"duration sensitivity"`` and ``"duration ppv"``.
    Values are sums over the records, the intervals those of the bootstrap over records.
    """
    own = [Counts(s.reference_met, s.reference - s.reference_met, 0) for s in scores]
    theirs = [Counts(s.found_met, 0, s.found - s.found_met) for s in scores]
    durations = gross([s.durations for s in scores])
    return {
        "episode sensitivity": gross(own)["sensitivity"],
        "episode ppv": gross(theirs)["ppv"],
        "duration sensitivity": durations["sensitivity"],
        "duration ppv": durations["ppv"],
    }
