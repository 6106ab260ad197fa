"""Freed memory stays with the process while a model trains, and goes back at the end."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc alone can be told")

_SCRIPT = """
import json, resource
import numpy as np
from cardioflow.core.freed_memory import give_back_freed_memory, keep_freed_memory

PAGE, SIZE = resource.getpagesize(), 48 * 2**20

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(4):
        np.empty(SIZE, np.uint8)[::PAGE] = 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * PAGE

give_back_freed_memory()
first = faults()
kept = keep_freed_memory()
faults()
second, held = faults(), resident()
give_back_freed_memory()
print(json.dumps({"kept": kept, "pages": SIZE // PAGE, "first": first, "second": second, "freed": held - resident()}))
"""


def _found(**environment: str) -> dict[str, int]:
    # Transparent huge pages would take one fault for 512 pages.
    own = {"NUMPY_MADVISE_HUGEPAGE": "0", **environment}
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_memory_that_was_freed_is_used_again_without_page_faults_and_given_back_at_the_end() -> None:
    found = _found()
    assert found["kept"]
    assert found["first"] >= found["pages"]
    assert found["second"] < found["pages"] / 10
    assert found["freed"] > 40 * 2**20


@pytest.mark.parametrize(
    "environment",
    [
        {"CARDIOFLOW_KEEP_MEMORY": "0"},
        {"MALLOC_TRIM_THRESHOLD_": "131072"},
        {"GLIBC_TUNABLES": "glibc.malloc.arena_max=9"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_the_environment_decides_before_we_do(environment: dict[str, str]) -> None:
    found = _found(**environment)
    assert not found["kept"]
    assert found["freed"] < 2**20
