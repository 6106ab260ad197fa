"""A drawing says of every step what it is to the engine, as text and as a picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from cardioflow import B, EcgDataset, Pipeline, V
from cardioflow.errors import WriteError


def drawn() -> Pipeline:
    noise = Pipeline().random_gaussian_noise()
    return (
        Pipeline()
        .before(Pipeline().init_variable("loss", []))
        .load(fmt="wfdb")
        .join(Pipeline().load(components="target"), Pipeline().load(components="annotation"))
        .cache()
        .apply_pipeline(noise, p=0.5)
        .train_on_batch("m", save_to=V("loss", mode="a"))
        .standardize()
        .dump("out", "npz")
        .after(Pipeline().save_model("m", "m.cardioflow"))
    )


def test_the_text_says_what_is_pure_cached_random_stateful_and_writing():
    lines = [line.strip() for line in str(drawn().draw()).splitlines()]
    assert lines[0] == "Pipeline (not run: no dataset)"
    natures = [(line.split("(")[0], line.rsplit("  ", 1)[-1]) for line in lines[1:] if "──" not in line]
    assert natures == [
        ("1. before", "once, before the first batch"),
        ("│  1.1. init_variable", "once, before the first batch"),
        ("2. load", "pure, cached"),
        ("3. join", "pure, cached"),
        ("│  3.a.1. load", "pure"),
        ("│  3.b.1. load", "pure"),
        ("4. cache", "cache"),
        ("5. apply_pipeline", "random"),
        ("│  5.1. random_gaussian_noise", "random"),
        ("6. train_on_batch", "stateful, in order"),
        ("7. standardize", "pure, in order"),
        ("8. dump", "writes, in order"),
        ("9. after", "on the events of the run"),
        ("│  9.1. save_model", "on the events of the run"),
    ]
    in_order = next(i for i, line in enumerate(lines) if "from here on in order" in line)
    assert lines[in_order + 1].startswith("6. train_on_batch")


def test_a_nested_pipeline_is_random_only_if_it_draws():
    kinds = {
        "pure": Pipeline().apply_pipeline(Pipeline().standardize()),
        "random": Pipeline().apply_pipeline(Pipeline().standardize(), p=0.5),
    }
    for expected, template in kinds.items():
        assert str(template.draw()).splitlines()[1].endswith(expected)


def test_the_picture_is_svg_with_a_box_for_every_step_and_its_words(tmp_path):
    drawing = drawn().draw()
    drawing.save(tmp_path / "plan.svg")
    root = ET.fromstring((tmp_path / "plan.svg").read_text(encoding="utf-8"))
    space = "{http://www.w3.org/2000/svg}"
    texts = [node.text for node in root.iter(f"{space}text")]
    assert len(root.findall(f".//{space}rect")) == 1 + 14
    assert "6. train_on_batch('m', save_to=V('loss', mode='a'))" in texts
    assert texts.count("pure, cached") == 2
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    for box in root.findall(f".//{space}rect")[1:]:
        x, y, w, h = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x + w <= width
        assert y + h <= height
    assert drawing._repr_svg_() == drawing.svg


def test_what_a_user_wrote_cannot_break_the_picture():
    def f(batch):
        return "<script>"

    template = Pipeline().call(f, "</svg><script>alert(1)</script>", B("x"))
    ET.fromstring(template.draw().svg)
    assert "<script" not in template.draw().svg


def test_a_bound_pipeline_says_so_and_a_picture_that_cannot_be_written_is_an_error(tmp_path):
    bound = EcgDataset.simulated(3) >> Pipeline().load()
    assert str(bound.draw()).splitlines()[0] == "Pipeline (bound to 3 records)"
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError):
        bound.draw().save(tmp_path / "file" / "plan.svg")
