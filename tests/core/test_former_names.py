"""Names of CardIO, and names that another object has, say where they are now."""

from __future__ import annotations

import pytest

from cardioflow.core.former_names import former_call, former_table, where_now


@pytest.mark.parametrize(
    ("owner", "name", "text"),
    [
        (
            "pipeline",
            "get_variable",
            (
                "The run has 'get_variable', not the pipeline. Keep what run() returns: "
                "run = (dataset >> pipeline).run(batch_size=…); run.get_variable('name')."
            ),
        ),
        ("pipeline", "train_model", "CardIO's 'train_model' is now train_on_batch('name')."),
        ("batch", "indices", "CardIO's 'indices' is now ids."),
        ("dataset", "indices", "CardIO's 'indices' is now dataset.ids."),
        ("batch", "run", "A pipeline has 'run', and a batch does not: pipeline.run."),
        ("dataset", "signal", "A batch has 'signal', and a data set does not: batch.signal."),
        ("pipeline", "split", "A data set has 'split', and a pipeline does not: dataset.split."),
        ("batch", "FilesIndex", "CardIO's 'FilesIndex' is now cardioflow.EcgDataset('records/*.hea')."),
        ("module", "nothing_of_the_kind", ""),
    ],
)
def test_a_former_name_or_one_of_another_object_says_where_it_is_now(owner, name, text) -> None:
    assert where_now(owner, name) == text


@pytest.mark.parametrize("owner", ["pipeline", "batch", "dataset", "module"])
def test_no_former_name_is_a_name_of_today_on_its_own_object(owner) -> None:
    import cardioflow

    objects = {
        "pipeline": cardioflow.Pipeline,
        "batch": cardioflow.EcgBatch,
        "dataset": cardioflow.EcgDataset,
        "module": cardioflow,
    }
    there = set(dir(objects[owner]))
    assert not [name for name in former_table(owner) if name in there]


def test_a_model_declared_as_cardio_did_says_how_it_is_done_now() -> None:
    assert "@cardioflow.model" in former_call("init_model", ("dynamic", dict))
    assert former_call("init_model", ("m", {"path": "x"})) == ""
    assert former_call("load_model", ("dynamic", dict)) == ""
