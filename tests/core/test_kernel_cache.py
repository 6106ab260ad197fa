"""Machine code is cached in the first writable folder, read from any, and compiled anew if none is writable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cardioflow.core.compiled import kernel, read_only

SOURCE = """
from neighbour import factor
from cardioflow.core.compiled import helper, kernel

@helper()
def scaled(x):
    return factor() * x

@kernel()
def total(x):
    s = 0.0
    for i in range(x.size):
        s += scaled(x[i])
    return s
"""
NEIGHBOUR = """
from cardioflow.core.compiled import helper

@helper()
def factor():
    return 2
"""
RUN = """
import json, warnings
import numpy as np
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    import sums
    values = [sums.total(np.arange(4.0)), sums.total(np.arange(4))]
print(json.dumps({"values": values, "hits": sum(sums.total.stats.cache_hits.values()),
                  "warnings": [str(w.message) for w in said if w.category is RuntimeWarning]}))
"""


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "sums.py").write_text(SOURCE)
    (folder / "neighbour.py").write_text(NEIGHBOUR)
    return folder


def run(installation: Path, **variables: str | Path) -> dict:
    known = {k: v for k, v in os.environ.items() if k not in {"NUMBA_CACHE_DIR", "XDG_CACHE_HOME"}}
    path = os.pathsep.join([str(installation), *sys.path])
    environment = {**known, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    environment.update({k: str(v) for k, v in variables.items()})
    done = subprocess.run([sys.executable, "-c", RUN], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lock(installation: Path) -> None:
    """Make it impossible, even for the superuser, to create a cache folder beside the sources."""
    (installation / "__pycache__").write_text("")


def test_a_second_process_reads_what_the_first_compiled_beside_the_source(installation):
    first, second = run(installation), run(installation)
    assert first["values"] == second["values"] == [12.0, 12.0]
    assert (first["hits"], second["hits"]) == (0, 2)
    assert len(list((installation / "__pycache__").glob("sums.total-*.nbc"))) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME names the user's cache folder on Linux")
def test_a_read_only_installation_keeps_its_code_in_the_users_cache_folder(installation, tmp_path):
    lock(installation)
    assert run(installation, XDG_CACHE_HOME=tmp_path / "cache")["hits"] == 0
    again = run(installation, XDG_CACHE_HOME=tmp_path / "cache")
    assert again == {"values": [12.0, 12.0], "hits": 2, "warnings": []}
    assert len(list((tmp_path / "cache" / "cardioflow").rglob("*.nbc"))) == 2


def test_without_any_writable_folder_kernels_work_and_one_warning_names_the_remedy(installation, tmp_path):
    lock(installation)
    nowhere = tmp_path / "file"
    nowhere.write_text("")
    found = run(installation, HOME=nowhere, XDG_CACHE_HOME=nowhere, LOCALAPPDATA=nowhere, NUMBA_CACHE_DIR=nowhere)
    assert found["values"] == [12.0, 12.0]
    assert len(found["warnings"]) == 1
    assert "Set NUMBA_CACHE_DIR to a writable folder" in found["warnings"][0]


def test_code_shipped_with_an_installation_is_used_even_if_another_folder_is_preferred(installation, tmp_path):
    run(installation)
    found = run(installation, NUMBA_CACHE_DIR=tmp_path / "own")
    assert found["hits"] == 2
    assert not list(tmp_path.glob("own/**/*.nbc"))


def test_a_changed_helper_in_another_file_causes_recompilation_and_removes_old_code(installation):
    run(installation)
    old = set((installation / "__pycache__").glob("*.nbc"))
    (installation / "neighbour.py").write_text(NEIGHBOUR.replace("return 2", "return 5"))
    assert run(installation)["values"] == [30.0, 30.0]
    new = set((installation / "__pycache__").glob("*.nbc"))
    assert len(new) == 2
    assert not new & old


def test_a_truncated_cache_file_is_recompiled_and_replaced(installation):
    run(installation)
    for path in (installation / "__pycache__").glob("*.nbc"):
        path.write_bytes(path.read_bytes()[:100])
    assert run(installation)["values"] == [12.0, 12.0]
    assert run(installation)["hits"] == 2


def test_flush_removes_the_cache_files_of_the_function(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))

    @kernel()
    def first(x):
        return x[0]

    assert first(np.array([3.0])) == 3.0
    assert len(list(tmp_path.rglob("*.nbc"))) == 1
    first._cache.flush()
    assert not list(tmp_path.rglob("*.nbc"))


def test_read_only_gives_all_arrays_one_type_and_copies_only_non_contiguous_ones():
    writable = np.arange(6.0)
    views = [read_only(writable), read_only(read_only(writable)), read_only(np.arange(12.0)[::2])]
    assert [(v.flags.writeable, v.flags.c_contiguous) for v in views] == [(False, True)] * 3
    assert np.shares_memory(views[0], writable)
    assert writable.flags.writeable
    assert views[2].tolist() == np.arange(12.0)[::2].tolist()
