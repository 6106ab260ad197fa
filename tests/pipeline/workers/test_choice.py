"""The automatic choice, with ways whose speed is known and a clock that moves by what they take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cardioflow import EcgBatch
from cardioflow.pipeline.workers import automatic
from cardioflow.pipeline.workers.automatic import Automatic, Choice

SIZE = 64


class Clock:
    """Seconds that pass only when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Way:
    """A way that takes ``seconds`` for each batch, and from ``start_s`` on where it has to start first."""

    opened: list[Way]

    def __init__(self, choice: Choice, clock: Clock, seconds: float, starts_at: float = 0.0) -> None:
        self.choice, self._clock, self._seconds, self._starts_at = choice, clock, seconds, starts_at
        self.name = f"{choice.n} {choice.kind}" if choice.n else "caller"
        self.is_closed = False

    @property
    def is_ready(self) -> bool:
        return self._clock.now >= self._starts_at

    def get(self, number: int) -> int:
        assert not self.is_closed
        self._clock.now += self._seconds
        return number

    def close(self) -> None:
        self.is_closed = True

    def abandon(self) -> None:
        self.is_closed = True


class Sampler:
    """Batches of 64 records."""

    def __init__(self, n: int) -> None:
        self._n = n

    def __len__(self) -> int:
        return self._n

    def size(self, number: int) -> int:
        return SIZE

    def __getitem__(self, number: int) -> EcgBatch:
        return EcgBatch.from_arrays([np.zeros((1, 10), np.float32)], fs=100.0)


def chosen(
    monkeypatch: pytest.MonkeyPatch,
    seconds: dict[Choice, float],
    *,
    own: float = 0.0,
    n: int = 100_000,
    n_cpus: int = 4,
    starts_in: float = 3.0,
    pure: Any = len,
) -> tuple[Choice | None, list[Way], Automatic]:
    """Return what is chosen where the caller takes ``own`` seconds per batch, and the ways that were opened."""
    clock, opened = Clock(), []
    monkeypatch.setattr(automatic, "time", clock)
    monkeypatch.setattr(automatic, "_n_cpus", lambda: n_cpus)

    def made(self: Automatic, choice: Choice) -> Way:
        opened.append(Way(choice, clock, seconds[choice]))
        return opened[-1]

    def processes(self: Automatic, n: int) -> Way:
        choice = Choice("processes", n)
        opened.append(Way(choice, clock, seconds[choice], clock.now + starts_in))
        return opened[-1]

    monkeypatch.setattr(Automatic, "_made", made)
    monkeypatch.setattr(Automatic, "_processes", processes)
    found = Automatic(Sampler(n), pure, None)  # type: ignore[arg-type]
    numbers = []
    for number in range(min(n, 4000)):
        numbers.append(found.get(number))
        clock.now += own
        if found.chosen is not None:
            break
    assert numbers == list(range(len(numbers))), "every batch once, in order"
    return found.chosen, opened, found


CALLER, ONE, FOUR, PROCESSES = Choice("caller"), Choice("threads", 1), Choice("threads", 4), Choice("processes", 4)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        # Reading that waits: threads scale, and processes no better.
        ({CALLER: 0.1, ONE: 0.1, FOUR: 0.025, PROCESSES: 0.025}, FOUR),
        # Python that holds the interpreter: only processes help.
        ({CALLER: 0.1, ONE: 0.1, FOUR: 0.12, PROCESSES: 0.03}, PROCESSES),
        # Nothing helps.
        ({CALLER: 0.1, ONE: 0.11, FOUR: 0.12, PROCESSES: 0.13}, CALLER),
        # One thread beside the caller, and more fight.
        ({CALLER: 0.1, ONE: 0.06, FOUR: 0.09, PROCESSES: 0.07}, ONE),
        # 4 % are not worth four processes.
        ({CALLER: 0.1, ONE: 0.1, FOUR: 0.05, PROCESSES: 0.0481}, FOUR),
        ({CALLER: 0.1, ONE: 0.1, FOUR: 0.05, PROCESSES: 0.0470}, PROCESSES),
    ],
    ids=["threads", "processes", "caller", "one thread", "not clearly", "clearly"],
)
def test_the_fastest_way_is_kept_and_a_simpler_one_where_it_is_not_clearly_slower(monkeypatch, seconds, expected):
    found, opened, _ = chosen(monkeypatch, seconds)
    assert found == expected
    left = [way.choice for way in opened if not way.is_closed]
    assert left == [expected], "the others are closed"


def test_where_the_caller_takes_the_time_nothing_is_tried(monkeypatch):
    found, opened, _ = chosen(monkeypatch, {CALLER: 0.001}, own=0.1)
    assert found == CALLER
    assert len(opened) == 1


@pytest.mark.parametrize(("n", "tried"), [(12, [CALLER]), (60, [CALLER, ONE, FOUR])])
def test_a_short_run_is_not_worth_starting_anything(monkeypatch, n, tried):
    seconds = {CALLER: 0.1, ONE: 0.1, FOUR: 0.05, PROCESSES: 0.01}
    found, opened, automatic_ = chosen(monkeypatch, seconds, n=n)
    assert [way.choice for way in opened] == tried
    assert found == tried[-1]
    if n == 60:
        assert "processes were not tried: only" in automatic_.name


def test_one_processor_tries_one_thread_and_no_process(monkeypatch):
    found, opened, own = chosen(monkeypatch, {CALLER: 0.1, ONE: 0.05}, n_cpus=1)
    assert found == ONE
    assert {way.choice for way in opened} == {CALLER, ONE}
    assert "there is one processor" in own.name


def test_a_function_that_cannot_be_sent_leaves_processes_out_and_says_which(monkeypatch):
    seconds = {CALLER: 0.1, ONE: 0.1, FOUR: 0.05}
    found, _, own = chosen(monkeypatch, seconds, pure=lambda batch: batch)
    assert found == FOUR
    assert "is a lambda" in own.name


def test_while_processes_start_the_best_way_so_far_goes_on(monkeypatch):
    seconds = {CALLER: 0.1, ONE: 0.1, FOUR: 0.05, PROCESSES: 0.02}
    found, opened, own = chosen(monkeypatch, seconds, starts_in=5.0)
    assert found == PROCESSES
    assert [way.choice for way in opened] == [CALLER, ONE, FOUR, PROCESSES]
    assert "4 processes" in own.name
    assert f"4 threads {SIZE / 0.05:.0f}" in own.name


def test_what_was_measured_is_told_in_records_per_second(monkeypatch):
    _, _, own = chosen(monkeypatch, {CALLER: 0.1, ONE: 0.1, FOUR: 0.1, PROCESSES: 0.1})
    assert own.name == "caller (records/s measured: caller 640, 1 threads 640, 4 threads 640, 4 processes 640)"


def test_closing_ends_what_runs_and_what_is_about_to_start(monkeypatch):
    _, opened, own = chosen(monkeypatch, {CALLER: 0.1, ONE: 0.1, FOUR: 0.05, PROCESSES: 0.02}, starts_in=1e9)
    assert own.chosen is None
    own.close()
    assert all(way.is_closed for way in opened)
