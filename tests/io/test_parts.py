"""The files of a record are looked for in its own folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cardioflow.io._parts import RecordParts


@pytest.mark.skipif(os.sep != "/", reason="drives have roots of their own")
def test_the_folder_of_a_record_in_the_root_is_the_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "A01.hea").write_text("A01 0 100 10\n")
    (tmp_path / "A01.atr").write_bytes(b"")
    parts = RecordParts()
    assert parts.folder_changed("/A01.hea") == Path("/").stat().st_mtime_ns
    # Not the files of that name in the working directory.
    assert parts.of("/A01.hea") == ["/A01.hea"]
    assert parts.of("A01.hea") == ["A01.atr", "A01.hea"]
    assert parts.of(f"{tmp_path}/A01.hea") == [f"{tmp_path}/A01.atr", f"{tmp_path}/A01.hea"]
