"""A checkpoint of another run is refused with what differs."""

from __future__ import annotations

import json
import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

from cardioflow import EcgDataset, F, Pipeline, callbacks
from cardioflow.errors import CheckpointError
from cardioflow.pipeline.checkpoint.description import describe


def refusal(run: Any) -> str:
    with pytest.raises(CheckpointError) as caught:
        run()
    text = str(caught.value)
    assert " is of another run: " in text
    assert text.endswith("Run the call that wrote it, or pass another folder.")
    return text


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"batch_size": 5}, "batch_size was 4, and is now 5"),
        ({"shuffle": False}, "shuffle was True, and is now False"),
        ({"seed": 4}, "seed was 3, and is now 4"),
        ({"n_epochs": 4}, "n_epochs was 3, and is now 4"),
        (
            {"drop_last": True, "on_error": "skip"},
            "drop_last was False, and is now True; on_error was raise, and is now skip",
        ),
    ],
)
def test_other_arguments(train, tmp_path, changed, expected) -> None:
    train(tmp_path / "c", kill=3)
    assert expected in refusal(lambda: train(tmp_path / "c", **changed))


def test_arguments_that_no_number_depends_on_may_change(train, assert_same, tmp_path) -> None:
    train(tmp_path / "c", kill=3)
    assert_same(train(tmp_path / "c", threads=2, prefetch=4, every="epoch", keep=5), train())


def test_another_step_or_another_argument_of_one(train, prepared, tmp_path) -> None:
    train(tmp_path / "c", kill=3, template=prepared.random_gaussian_noise(0.1))
    other = prepared.random_gaussian_noise(0.2)
    text = refusal(lambda: train(tmp_path / "c", template=other))
    assert "step 4 was random_gaussian_noise(0.1), and is now random_gaussian_noise(0.2)" in text
    text = refusal(lambda: train(tmp_path / "c", template=prepared))
    assert "step 4 was random_gaussian_noise(0.1), and is now import_model('m', <MomentumModel>)" in text


def test_another_function_under_the_same_name(train, prepared, tmp_path) -> None:
    def scaled_by(factor: int) -> Any:
        def scale(signal: Any) -> Any:
            return factor * signal

        return scale

    train(tmp_path / "c", kill=3, template=prepared.apply_transform(scaled_by(2)))
    train(tmp_path / "c", kill=5, template=prepared.apply_transform(scaled_by(2)))
    text = refusal(lambda: train(tmp_path / "c", template=prepared.apply_transform(scaled_by(3))))
    assert "step 4 was apply_transform(" in text


def test_other_records_other_labels_and_other_content(train, make_records, tmp_path) -> None:
    train(tmp_path / "c", kill=3)
    text = refusal(lambda: train(tmp_path / "c", data=make_records(28)))
    assert "the data set had 30 as number of records, and now has 28" in text
    assert "checksum of all record ids" in refusal(lambda: train(tmp_path / "c", data=make_records(prefix="x")))
    other = make_records(seed=2)
    assert "checksum of 16 records" in refusal(lambda: train(tmp_path / "c", data=other))


def test_other_records_that_a_callback_evaluates(train, prepared, make_records, tmp_path) -> None:
    def evaluated(n: int = 8, seed: int = 1) -> dict[str, Any]:
        return {"callbacks": (callbacks.Evaluate(make_records(n, seed=seed) >> prepared, "roc_auc"),)}

    train(tmp_path / "c", kill=3, **evaluated())
    for other in (evaluated(9), evaluated(seed=2)):
        assert "callback 1 was Evaluate(" in refusal(lambda other=other: train(tmp_path / "c", **other))
    train(tmp_path / "c", **evaluated())


def test_files_of_the_same_names_with_another_content_and_moved_ones(train, prepared, tmp_path) -> None:
    rng = np.random.default_rng(0)

    def folder(name: str, scale: float) -> EcgDataset:
        (tmp_path / name).mkdir()
        for i in range(6):
            np.save(tmp_path / name / f"r{i}.npy", (scale * rng.normal(size=(1, 40))).astype(np.float32))
        return EcgDataset(str(tmp_path / name / "*.npy"))

    labels = {f"r{i}": "AB"[i % 2] for i in range(6)}
    template = Pipeline().load(fmt="npy", fs=100).load(src=labels, components="target").binarize_labels()
    first = folder("first", 1.0)
    train(tmp_path / "c", kill=1, every=1, data=first, template=template)
    text = refusal(lambda: train(tmp_path / "c", data=folder("second", 2.0), template=template))
    assert "checksum of 6 records" in text
    (tmp_path / "first").rename(tmp_path / "moved")
    train(tmp_path / "c", kill=2, every=1, data=EcgDataset(str(tmp_path / "moved" / "*.npy")), template=template)
    labels["r3"] = "A"
    changed = Pipeline().load(fmt="npy", fs=100).load(src=labels, components="target").binarize_labels()
    moved = EcgDataset(str(tmp_path / "moved" / "*.npy"))
    assert "step 2 was load(" in refusal(lambda: train(tmp_path / "c", data=moved, template=changed))


def test_other_callbacks_and_other_settings_of_one(train, tmp_path) -> None:
    train(tmp_path / "c", kill=3, callbacks=(callbacks.EarlyStopping("train_loss", patience=5),))
    other = (callbacks.EarlyStopping("train_loss", patience=6),)
    text = refusal(lambda: train(tmp_path / "c", callbacks=other))
    assert "callback 1 was EarlyStopping(" in text
    assert "patience=5" in text
    assert "patience=6" in text
    assert "it had 2 callbacks, and now has 3" not in text
    assert "callback 1 was EarlyStopping(" in refusal(lambda: train(tmp_path / "c"))


def test_another_version_of_cardioflow_and_of_a_package(train, tmp_path) -> None:
    train(tmp_path / "c", kill=3, every=4)
    files = tmp_path / "c/checkpoint-000001/files.json"
    found = json.loads(files.read_text())
    packages = dict(found["run"]["packages"])
    found["run"]["packages"]["numpy"] = "1.0"
    files.write_text(json.dumps(found))
    with pytest.warns(
        UserWarning, match=r"written with other packages: numpy was 1\.0, and is now 2\.\S+\. The numbers"
    ):
        train(tmp_path / "c", kill=3, every=100)
    found["run"] |= {"packages": packages, "cardioflow": "9.9"}
    files.write_text(json.dumps(found))
    assert "CardioFlow was 9.9, and is now " in refusal(lambda: train(tmp_path / "c"))


def test_another_class_of_model(train, momentum_model, tmp_path) -> None:
    class OtherModel(momentum_model):  # type: ignore[misc,valid-type]
        pass

    train(tmp_path / "c", kill=3, model=momentum_model())
    text = refusal(lambda: train(tmp_path / "c", model=OtherModel()))
    assert "import_model('m', <MomentumModel>), and is now import_model('m', <" in text
    assert "OtherModel>)" in text


def test_another_backend_of_a_model(train, momentum_model, monkeypatch, tmp_path) -> None:
    train(tmp_path / "c", kill=3)
    monkeypatch.setattr(momentum_model, "backend", "keras on abacus")
    assert "the backend of the model 'm' was '', and is now 'keras on abacus'" in refusal(lambda: train(tmp_path / "c"))


def test_a_description_is_the_same_for_equal_values_and_another_one_for_others() -> None:
    def one(x: Any, k: int = 1) -> Any:
        return x + k

    first = [np.arange(6).reshape(2, 3), {"a": (1, 2.0)}, {3, 1}, slice(1, None), partial(one, k=2), None, "text"]
    again = [np.arange(6).reshape(2, 3), {"a": (1, 2.0)}, {1, 3}, slice(1, None), partial(one, k=2), None, "text"]
    assert describe(first) == describe(again)
    for i, other in enumerate([np.arange(6), {"a": (1, 2)}, {3}, slice(2), partial(one, k=3), 0, "texts"]):
        assert describe(first[i]) != describe(other)
    assert describe("a" * 1000) != describe("a" * 1001)
    assert len(describe("a" * 1000)) < 250
    assert describe(F(one)) == describe(F(one))


def test_defaults_of_keywords_are_part_of_a_function() -> None:
    def made(gain: float) -> Any:
        def scaled(x: float, *, by: float = gain) -> float:
            return x * by

        return scaled

    assert describe(made(2.0)) == describe(made(2.0))
    assert describe(made(2.0)) != describe(made(3.0))


def test_ranges_and_long_arrays_inside_of_arrays_are_compared() -> None:
    def held(last: int) -> np.ndarray:
        found = np.empty(1, object)
        found[0] = np.arange(5000)
        found[0][2000] = last
        return found

    assert describe(range(3)) == describe(range(3)) != describe(range(4))
    assert describe(held(1)) == describe(held(1)) != describe(held(2))


def test_descriptions_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        describe(np.array([1, "a", None], object))


def test_what_a_function_closes_over_and_the_object_of_a_method_are_compared() -> None:
    def outer(inner: Any) -> Any:
        def call(x: float) -> Any:
            return inner(x)

        return call

    def plus_one(x: float) -> float:
        return x + 1

    def plus_two(x: float) -> float:
        return x + 2

    class Scaler:
        def __init__(self, factor: float) -> None:
            self.factor, self.seen = factor, []

        def scale(self, x: float) -> float:
            self.seen.append(x)
            return self.factor * x

    assert describe(outer(plus_one)) == describe(outer(plus_one)) != describe(outer(plus_two))
    assert describe(outer(partial(plus_one))) != describe(outer(partial(plus_two)))
    used = Scaler(2.0)
    used.scale(1.0)
    # What it has collected is no setting.
    assert describe(used.scale) == describe(Scaler(2.0).scale) != describe(Scaler(3.0).scale)
    assert describe(outer(used.scale)) != describe(outer(Scaler(3.0).scale))


def test_a_function_that_calls_itself_is_described() -> None:
    def count(n: int) -> int:
        return n if n == 0 else count(n - 1)

    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    assert describe(count) == describe(count)
    assert describe(even) == describe(even) != describe(odd)


def test_other_labels_in_the_table_of_an_evaluation(train, make_records, tmp_path) -> None:
    table = tmp_path / "labels.csv"
    evaluated = make_records(8)
    template = Pipeline().load().load(src=table, components="target").binarize_labels()

    def written(first: str) -> dict[str, Any]:
        table.write_text(
            "id,label\n" + "".join(f"{n},{first if i == 0 else 'AB'[i % 2]}\n" for i, n in enumerate(evaluated.ids))
        )
        return {"callbacks": (callbacks.Evaluate(evaluated >> template, "roc_auc"),)}

    train(tmp_path / "c", kill=3, **written("A"))
    assert "callback 1 was Evaluate(" in refusal(lambda: train(tmp_path / "c", **written("B")))
    train(tmp_path / "c", **written("A"))


def test_a_table_of_labels_inside_a_nested_pipeline_is_compared_by_its_rows(train, tmp_path) -> None:
    labels = {str(i): "AB"[i % 2] for i in range(30)}
    inner = Pipeline().load(src=labels, components="target")
    template = Pipeline().load().apply_pipeline(inner).binarize_labels()
    train(tmp_path / "c", kill=3, template=template)
    changed = Pipeline().load(src={**labels, "7": "A"}, components="target")
    other = Pipeline().load().apply_pipeline(changed).binarize_labels()
    assert "step 2 was apply_pipeline(" in refusal(lambda: train(tmp_path / "c", template=other))
