"""Tables as text, Markdown, HTML and JSON, to the letter."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cardioflow.referee import Report, Table


def report(*tables, **given):
    return Report(given.get("title", "Beats in mitdb"), given.get("protocol", {}), tables, given.get("notes", ()))


def test_text_has_columns_of_equal_width_the_first_to_the_left():
    table = Table("Gross", ("method", "Se %", "n"), (("ours", 99.876, 12), ("a longer name", 5.0, 1234)))
    assert table.to_text().split("\n") == [
        "Gross",
        "method          Se %     n",
        "ours           99.88    12",
        "a longer name   5.00  1234",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (np.float64("nan"), "–"),
        (np.float32("nan"), "–"),
        (0.0, "0.00"),
        (1.0, "1.00"),
        (99.999, "100.00"),
        (-12.345, "-12.35"),
        (0.01234, "0.0123"),
        (-0.5, "-0.5000"),
        (7, "7"),
        (np.int64(7), "7"),
        (np.float32(2.5), "2.50"),
        ("AF", "AF"),
        ((95.0, 99.5), "95.00–99.50"),
        ((float("nan"), float("nan")), "–––"),
    ],
)
def test_a_cell_has_two_decimals_or_four_below_one_and_a_dash_for_nothing(value, text):
    assert Table("t", ("a",), ((value,),)).to_text() == f"t\na{' ' * (len(text) - 1)}".rstrip() + f"\n{text}"


def test_markdown_has_a_head_a_rule_and_a_row_each():
    table = Table("Means", ("method", "F1 %"), (("ours", 91.25), ("theirs", None)))
    assert table.to_markdown() == "**Means**\n\n| method | F1 % |\n| --- | --- |\n| ours | 91.25 |\n| theirs | – |"


def test_a_bar_in_a_label_does_not_begin_a_cell_in_markdown():
    table = Table("By class", ("class", "a|b"), (("AF|AFL", 1.0),))
    head, rule, row = table.to_markdown().split("\n")[2:]
    assert head == r"| class | a\|b |"
    assert rule == "| --- | --- |"
    assert row == r"| AF\|AFL | 1.00 |"


def test_html_escapes_titles_columns_and_cells():
    text = Table("<Gross>", ("a<b", "n"), (('"x" & <y>', 1),)).to_html()
    assert text == (
        "<table><caption>&lt;Gross&gt;</caption><thead><tr><th>a&lt;b</th><th>n</th></tr></thead><tbody><tr>"
        "<td>&quot;x&quot; &amp; &lt;y&gt;</td><td>1</td></tr></tbody></table>"
    )


def test_a_page_holds_the_protocol_the_tables_and_the_notes_escaped():
    page = report(
        Table("T", ("a",), ((1,),)), title="Beats & waves", protocol={"machine": "<x>"}, notes=("5 < 6",)
    ).to_html()
    assert "<title>Beats &amp; waves</title>" in page
    assert "<li>machine: &lt;x&gt;</li>" in page
    assert "<li>5 &lt; 6</li>" in page
    assert page.count("<table>") == 1
    assert page.endswith("</html>\n")


def test_json_has_null_for_what_has_no_value_and_a_list_for_an_interval():
    table = Table("T", ("a", "b", "c"), ((float("nan"), (1.0, float("nan")), float("inf")), (2.0, None, "x")))
    assert report(table).to_dict()["tables"][0]["rows"] == [
        {"a": None, "b": [1.0, None], "c": None},
        {"a": 2.0, "b": None, "c": "x"},
    ]


def test_numbers_of_numpy_are_written_to_json(tmp_path):
    table = Table("T", ("a", "b", "c", "d"), ((np.int64(3), np.float32(0.5), np.float32("nan"), (np.int32(1), 2)),))
    path = report(table).save_json(tmp_path / "r.json")
    assert json.loads(path.read_text())["tables"][0]["rows"] == [{"a": 3, "b": 0.5, "c": None, "d": [1, 2]}]


def test_json_keeps_letters_outside_ascii(tmp_path):
    text = report(title="µV – größer").save_json(tmp_path / "r.json").read_text(encoding="utf-8")
    assert "µV – größer" in text


def test_a_report_as_text_and_as_markdown_has_its_parts_in_order():
    own = report(Table("T", ("a",), ((1,),)), title="Title", protocol={"leads": "first"}, notes=("A note.",))
    assert own.to_text() == "Title\nleads: first\n\nT\na\n1\n\nA note."
    assert own.to_markdown() == "# Title\n\n- leads: first\n\n**T**\n\n| a |\n| --- |\n| 1 |\n\n- A note.\n"


def test_a_table_without_rows_has_its_head():
    assert Table("T", ("a", "b"), ()).to_text() == "T\na  b"
    assert "<tbody></tbody>" in Table("T", ("a",), ()).to_html()


def test_two_columns_of_one_name_are_refused():
    with pytest.raises(ValueError, match="The table 'T' has two columns of one name among a, b, a"):
        Table("T", ("a", "b", "a"), ())


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"shorter|longer"):
        report(Table("T", ("a", "b"), ((1,),))).to_dict()


def test_a_failed_save_leaves_the_old_page(tmp_path, monkeypatch):
    path = report(title="Old").save_html(tmp_path / "r.html")

    class Broken:
        def __str__(self):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        report(protocol={"x": Broken()}).save_html(path)
    assert "<title>Old</title>" in path.read_text()
    assert [own.name for own in tmp_path.iterdir()] == ["r.html"]
