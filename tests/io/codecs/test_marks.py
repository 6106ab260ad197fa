from __future__ import annotations

import numpy as np

from cardioflow.io._codecs.marks import unpack_marks


def word(code: int, low: int) -> bytes:
    """A word of annot(5): six bits of code above ten."""
    return (code << 10 | low).to_bytes(2, "little")


END = b"\0\0"


def test_samples_are_the_sums_of_their_steps():
    table, end = unpack_marks(word(1, 10) + word(5, 0) + word(1, 1023) + END + b"anything")
    assert table[:, :2].tolist() == [[10, 1], [10, 5], [1033, 1]]
    assert end == 8


def test_a_skip_has_its_higher_half_first_and_may_go_back():
    def skip(step: int) -> bytes:
        raw = step.to_bytes(4, "little", signed=True)
        return word(59, 0) + raw[2:] + raw[:2]

    table, _ = unpack_marks(skip(100_000) + word(1, 0) + skip(-5) + word(1, 1) + skip(2**31 - 1) + word(1, 0) + END)
    assert table[:, 0].tolist() == [100_000, 99_996, 99_996 + 2**31 - 1]


def test_channel_and_number_last_and_the_subtype_does_not():
    raw = word(1, 1) + word(61, 0xFF) + word(62, 3) + word(60, 0xFE) + word(1, 1) + word(1, 1) + word(62, 0) + END
    table, _ = unpack_marks(raw)
    assert table[:, 2:5].tolist() == [[-1, 3, -2], [0, 3, -2], [0, 0, -2]]


def test_texts_have_a_position_and_a_length_and_are_padded_to_even_size():
    raw = word(22, 0) + word(63, 3) + b"abc\0" + word(1, 4) + END
    table, _ = unpack_marks(raw)
    assert table[:, [0, 5, 6]].tolist() == [[0, 4, 3], [4, 0, 0]]


def test_a_file_without_its_end_is_read_as_far_as_it_goes():
    table, end = unpack_marks(word(1, 1) + word(1, 1) + b"x")
    assert (len(table), end) == (2, 4)


def test_a_truncated_annotation_is_reported_with_its_position():
    for raw in (word(1, 1) + word(59, 0) + b"abc", word(1, 1) + word(63, 10) + b"abc", word(1, 1) * 0 + word(62, 1)):
        _, end = unpack_marks(raw)
        assert end == -(2 if raw[:2] == word(1, 1) else 0) - 1


def test_empty_data_have_no_annotations():
    table, end = unpack_marks(b"")
    assert (table.shape, end) == ((0, 7), 0)
    assert table.dtype == np.int64
