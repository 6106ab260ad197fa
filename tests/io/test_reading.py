"""The door of ``io``: what the layers above use, and nothing private beside it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cardioflow
from cardioflow.errors import FormatError
from cardioflow.io.reading import read_each, request_for

_PRIVATE = re.compile(r"\bcardioflow\.io(?:\.\w+)*\._\w+|\bfrom cardioflow\.io import _")


def test_no_layer_above_imports_a_private_file_of_io() -> None:
    root = Path(cardioflow.__file__).parent
    above = [path for path in root.rglob("*.py") if path.relative_to(root).parts[0] != "io"]
    assert [str(path) for path in above if _PRIVATE.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("fmt", [None, "csv"])
def test_a_file_that_cannot_be_read_gives_its_error_in_its_place(fmt: str | None, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("time [s],I [mV]\n0.000,1.5\n0.002,-2.5\n0.004,0.5\n")
    bad.write_text("")
    first, second, third = read_each([good, bad, good], fmt, request_for(["signal"], {}), {})
    assert isinstance(second, FormatError)
    assert str(bad) in str(second)
    for record in (first, third):
        assert not isinstance(record, FormatError)
        assert record.signal is not None
        assert record.signal.tolist() == [[1.5, -2.5, 0.5]]
        assert record.fs == 500
