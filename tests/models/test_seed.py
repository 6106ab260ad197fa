"""Global random generators are seeded for one thread at a time, and restored."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from time import sleep

import numpy as np
import pytest

from cardioflow.models._seed import isolated, seeded

torch = pytest.importorskip("torch")


def draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.random()), float(torch.rand(()))  # noqa: NPY002 -- what backends use


def test_the_seed_affects_random_numbers_inside_the_context_only() -> None:
    with isolated():
        with seeded(1):
            first = draws()
        with seeded(2):
            other = draws()
        with seeded(3):
            expected = draws()
        with seeded(3), seeded(1):
            again = draws()
        with seeded(3):
            with isolated():
                draws()
            after = draws()
    assert first == again
    assert all(a != b for a, b in zip(first, other, strict=True))
    assert after == expected


def test_an_exception_inside_restores_the_random_state() -> None:
    with seeded(5):
        expected = draws()
    with seeded(5):
        with suppress(ValueError), seeded(6):
            draws()
            raise ValueError
        assert draws() == expected


def test_threads_wait_for_each_other() -> None:
    barrier = Barrier(4)

    def numbers(seed: int) -> list[tuple[float, float, float]]:
        barrier.wait()
        with seeded(seed):
            found = []
            for _ in range(10):
                # Another thread gets its turn here.
                sleep(0.001)
                found.append(draws())
            return found

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(numbers, range(4)))
    for seed, found in enumerate(together):
        with seeded(seed):
            assert found == [draws() for _ in range(10)]
