from __future__ import annotations

import pytest

from cardioflow.core.printable import escaped


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("AF, µV – Ω", "AF, µV – Ω"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines\ttab", r"two\nlines\ttab"),
        ("\x9b2J\u202e\ud800", r"\x9b2J\u202e\ud800"),
    ],
)
def test_only_unprintable_characters_are_escaped(text: str, printed: str) -> None:
    assert escaped(text) == printed
