"""The boxes of a picture are large enough for their words, stand under each other, and their parts beside."""

from __future__ import annotations

import re

import pytest

from cardioflow.pipeline.drawing_svg import Box, svg


def box(text="x", words="w", parts=(), *, number="1", in_order=False) -> Box:
    return Box(number, text, "pure", words, is_cached=False, begins_order=in_order, parts=parts)


def rectangles(picture: str) -> list[tuple[float, ...]]:
    """x, y, width and height of every box."""
    found = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" rx', picture)
    return [tuple(map(float, own)) for own in found]


@pytest.mark.parametrize(("n", "is_cut"), [(61, False), (62, True), (200, True)])
def test_a_line_of_64_characters_is_whole_and_a_longer_one_is_cut_to_64(n, is_cut) -> None:
    line = box("y" * n).line
    assert len(line) == min(n + 3, 64)
    assert line.endswith("…") == is_cut


@pytest.mark.parametrize(
    ("one", "size"),
    [
        # 7.3 for each character of the longer text, "1. abc" or the words, and 12 on both sides.
        (box("abc", "w"), (7.3 * 6 + 24, 44)),
        (box("abc", "much longer words"), (7.3 * 17 + 24, 44)),
        # Parts of 73.8 and 66.5, with 12 before, between and behind; the taller one counts.
        (
            box("abc", "w", ((box("abcde"),), (box("abcd"), box("a")))),
            (7.3 * 8 + 24 + 7.3 * 7 + 24 + 36, 44 + 2 * 44 + 18 + 12),
        ),
    ],
    ids=["line", "words", "parts"],
)
def test_a_box_is_as_large_as_what_is_in_it(one, size) -> None:
    assert one.size == pytest.approx(size)


def test_boxes_stand_under_each_other_with_an_arrow_between() -> None:
    picture = svg("title", [box("a"), box("b"), box("c")])
    found = rectangles(picture)
    assert [y for _, y, _, _ in found] == [48, 48 + 62, 48 + 124]
    assert {x for x, *_ in found} == {12}
    assert picture.count('fill="none"/>') == 2
    # The arrow begins where a box ends: 18 above the next.
    assert [float(y) for y in re.findall(r'd="M36.0 ([\d.]+) v14', picture)] == [92, 154]
    assert 'width="444" height="234"' in picture


def test_the_line_of_what_is_done_in_order_takes_room_of_its_own() -> None:
    picture = svg("title", [box("a"), box("b", in_order=True)])
    assert [y for _, y, _, _ in rectangles(picture)] == [48, 48 + 62 + 18]
    # It goes from the left margin to the right one.
    assert "M12.0 116.0 h420.0" in picture
    assert 'height="190"' in picture


def test_parts_stand_beside_each_other_inside_their_box() -> None:
    one = box("join", "w", ((box("abcde"),), (box("abcd"),)))
    outer, first, second = rectangles(svg("title", [one]))
    assert first[:2] == (24, 92)
    assert second[:2] == pytest.approx((24 + 7.3 * 8 + 24 + 12, 92), abs=0.06)
    assert second[0] + second[2] + 12 == pytest.approx(outer[0] + outer[2], abs=0.11)


def test_a_picture_is_as_wide_as_its_title_or_its_widest_box() -> None:
    long = "t" * 100
    assert f'width="{7.3 * 100 + 24:.0f}"' in svg(long, [box()])
    assert f'width="{7.3 * 64 + 48:.0f}"' in svg("t", [box("y" * 80)])
