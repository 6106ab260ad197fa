"""Incomplete files never have their final name, and leftovers of a killed process are removed by the next."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cardioflow.core.atomic import is_temporary, remove_leftovers, whole_file, whole_folder
from cardioflow.errors import WriteError


def killed_while_writing(code: str) -> None:
    """Run ``code`` in a process that then kills itself with SIGKILL."""
    ending = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code).format(end=ending)], check=False)
    assert done.returncode == -signal.SIGKILL


def test_a_file_gets_its_name_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.csv"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert is_temporary(temporary)
        assert temporary.suffix == ".csv"
    assert path.read_text() == "half"
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_gets_its_name_only_when_it_is_complete(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "store") as temporary:
        (temporary / "part").write_text("x")
        assert not (tmp_path / "store").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert (tmp_path / "store" / "part").read_text() == "x"


@pytest.mark.parametrize("writing", [whole_file, whole_folder])
def test_a_failed_write_leaves_no_files(writing, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(KeyError), writing(tmp_path / "x"):
        raise KeyError("x")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_existing_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("old")
    texts: dict[str, str] = {}
    with pytest.raises(KeyError), whole_file(tmp_path / "x") as temporary:
        temporary.write_text(texts["new"])
    assert (tmp_path / "x").read_text() == "old"


def test_a_long_name_gets_a_short_temporary_name(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 120 + ".npz")
    with whole_file(path) as temporary:
        temporary.write_text("x")
    assert path.read_text() == "x"


def test_an_error_for_a_full_disk_names_the_path_and_the_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(
            WriteError, match=r"x\.csv' cannot be written: No space left on device\. Free some space"
        ) as caught,
        whole_file(tmp_path / "x.csv"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert isinstance(caught.value, OSError)
    assert list(tmp_path.iterdir()) == []


def test_every_format_raises_the_same_error_at_a_file_size_limit(tmp_path: Path) -> None:
    code = f"""
        import resource
        from pathlib import Path
        import numpy as np
        from cardioflow.errors import WriteError
        from cardioflow.io.base import Format, Record
        from cardioflow.registry import formats
        signal = np.random.default_rng(0).normal(size=(2, 100000)).astype(np.float32)
        record = Record(signal, 250.0, ("I", "II"), ("mV", "mV"))
        writers = [formats.get(name)() for name in formats.names() if formats.get(name).write is not Format.write]
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        for writer in writers:
            try:
                writer.write(record, Path({str(tmp_path)!r}) / "r1")
            except WriteError as error:
                print(error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    said = done.stdout.splitlines()
    assert len(said) == 7
    assert all("r1." in line and "cannot be written: " in line and "another disk" in line for line in said)
    assert list(tmp_path.iterdir()) == []


def test_an_error_for_a_read_only_folder_names_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(WriteError, match="is a file; choose another folder"),
        whole_file(tmp_path / "file" / "x.csv"),
    ):
        pass


def test_leftovers_of_a_killed_process_are_removed_by_the_next_write(tmp_path: Path) -> None:
    killed_while_writing(
        f"""
        from pathlib import Path
        from cardioflow.core.atomic import whole_file, whole_folder
        with whole_file(Path({str(tmp_path)!r}) / "a.csv") as one, whole_folder(Path({str(tmp_path)!r}) / "b") as two:
            one.write_text("half")
            (two / "part").write_text("half")
            {{end}}
        """
    )
    left = list(tmp_path.iterdir())
    assert len(left) == 2
    assert all(is_temporary(path) for path in left)
    with whole_file(tmp_path / "c.csv") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["c.csv"]


def test_files_that_other_processes_are_writing_stay(tmp_path: Path) -> None:
    with whole_file(tmp_path / "mine.csv") as mine:
        host = mine.name.split(".")[3].split("-")[0]
        parent = f".a.csv.{host}-{os.getppid()}-5eed5eed-0.part.csv"
        elsewhere = ".a.csv.0badc0de-1-5eed5eed-0.part.csv"
        for name in (parent, elsewhere, ".hidden", ".a.part", "a.csv"):
            (tmp_path / name).write_text("x")
        assert remove_leftovers(tmp_path) == []
        # A process number that was used again, as in a container, where it is often 1.
        (tmp_path / f".a.csv.{host}-{os.getpid()}-5eed5eed-0.part.csv").write_text("x")
        assert len(remove_leftovers(tmp_path)) == 1
