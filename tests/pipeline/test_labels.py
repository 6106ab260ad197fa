"""Labels are read once, when a pipeline is bound, and joined with the records by id."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from pathlib import Path

import pytest

from cardioflow import EcgDataset, Pipeline
from cardioflow.errors import InputError, LabelError, nearest
from cardioflow.pipeline.labels.table import LabelTable, MissingLabelError, TableShape


@pytest.fixture(scope="module")
def records(cinc: Path) -> EcgDataset:
    return EcgDataset(cinc / "A000*.hea")


def _targets(records: EcgDataset, src: object, **options: object) -> dict[str, object]:
    run = (records >> Pipeline().load(src=src, components="target", **options)).batches(3)
    return {name: b.target[i] for b in run for i, name in enumerate(b.ids)}


def test_targets_join_by_id_whatever_the_order(records: EcgDataset) -> None:
    table = dict(zip(records.ids, "NAO~", strict=True))
    assert _targets(records, dict(reversed(table.items()))) == table


def test_the_table_is_read_once_and_not_per_batch(records: EcgDataset, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("".join(f"{name},N\n" for name in records.ids))
    run = (records >> Pipeline().load(src=path, components="target")).batches(1)
    path.unlink()
    assert [b.target[0] for b in run] == ["N"] * len(records)


def test_a_record_without_a_label_is_an_error_or_skipped(records: EcgDataset) -> None:
    table = dict.fromkeys(records.ids[1:], "N")
    first = records.ids[0]
    with pytest.raises(LabelError, match=rf"the mapping has no label for record '{first}'.*step 1, load"):
        _targets(records, table)
    run = (records >> Pipeline().load(src=table, components="target")).run(batch_size=3, on_error="skip")
    assert [s.record for s in run.skipped] == [first]


def test_a_label_without_a_record_is_an_error_or_ignored(records: EcgDataset) -> None:
    table = {**dict.fromkeys(records.ids, "N"), "A99999": "A"}
    with pytest.raises(LabelError, match=r"the data set does not hold, the first of them 'A99999'"):
        _targets(records, table)
    assert len(_targets(records, table, extra_labels="ignore")) == len(records)


def test_a_part_of_a_data_set_takes_the_whole_ones_labels(records: EcgDataset) -> None:
    table = dict.fromkeys(records.ids, "N")
    assert len(_targets(records.subset(records.ids[:2]), table)) == 2


def test_a_table_of_other_records_says_what_both_look_like(records: EcgDataset) -> None:
    with pytest.raises(LabelError, match=r"none of the records: its ids are 'B1', and the records' are 'A00015'"):
        _targets(records, {"B1": "N"})


def test_classes_are_the_tables_unless_given(records: EcgDataset) -> None:
    table = dict(zip(records.ids, "NANA", strict=True))
    plain = (records >> Pipeline().load(src=table, components="target")).next_batch(2)
    given = (records >> Pipeline().load(src=table, components="target", classes=["N", "A", "O"])).next_batch(2)
    assert (plain.classes, given.classes) == (("A", "N"), ("N", "A", "O"))
    with pytest.raises(LabelError, match=r"lacks: \['A'\]"):
        (records >> Pipeline().load(src=table, components="target", classes=["N"])).next_batch(2)


def test_segments_get_the_label_of_their_record_and_not_of_a_row_of_that_name(records: EcgDataset) -> None:
    first, second = records.ids[:2]
    # Were rows joined by their own ids, the first segment of the first record would be "wrong".
    table = {first: "N", second: "A", f"{first}/0": "wrong"}
    cut = records.subset([first, second]).next_batch(2).load(fmt="wfdb").split_signals(2000, 2000).unstack_signals()
    assert len(set(cut.ids)) == len(cut) > 4
    batch = cut.load(src=table, components="target")
    assert batch.target.tolist() == ["N" if record == first else "A" for record in cut.provenance.record_id]
    with pytest.raises(LabelError, match=f"has no label for record '{first}'"):
        cut.load(src={second: "A", f"{first}/0": "wrong"}, components="target")


def test_records_without_a_label_are_left_out_when_asked(records: EcgDataset) -> None:
    table = {records.ids[0]: "N", records.ids[1]: None, records.ids[2]: "A"}
    assert _targets(records, table, missing="drop") == {records.ids[0]: "N", records.ids[2]: "A"}
    with pytest.raises(LabelError, match=f"no label for 1 record: '{records.ids[1]}'"):
        _targets(records, table)


def test_a_part_does_not_need_the_labels_of_the_rest(records: EcgDataset) -> None:
    table = {records.ids[0]: "N", records.ids[1]: None, records.ids[2]: "A", records.ids[3]: ""}
    assert _targets(records.subset(records.ids[::2]), table) == {records.ids[0]: "N", records.ids[2]: "A"}


def test_numbers_become_targets_without_classes(records: EcgDataset) -> None:
    table = {name: 60 + i / 2 for i, name in enumerate(records.ids)}
    batch = (records >> Pipeline().load(src=table, components="target", numeric=True)).next_batch(4)
    assert (batch.target.tolist(), batch.classes) == ([60.0, 60.5, 61.0, 61.5], None)


def test_an_option_of_files_is_refused_for_targets_by_name(records: EcgDataset) -> None:
    with pytest.raises(InputError, match=r"takes no 'sevral' for components='target'\. Did you mean 'several'"):
        Pipeline().load(src={"a": "b"}, components="target", sevral=True)
    with pytest.raises(InputError, match=r"load\(extra_labels='skip'\): expected 'raise' or 'ignore'"):
        Pipeline().load(src={"a": "b"}, components="target", extra_labels="skip")


def test_labels_that_change_after_binding_do_not_change_the_pipeline(records: EcgDataset, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    table = dict.fromkeys(records.ids, "N")
    frame = pd.DataFrame({"id": list(table), "label": "N"})
    path = tmp_path / "labels.csv"
    frame.to_csv(path, index=False)
    own = EcgDataset(dict(zip(records.ids, records.paths, strict=True)), labels=table)
    sources = {"mapping": table, "frame": frame, "path": path, "own": None}
    bound = {n: own >> Pipeline().load(src=s, components="target") for n, s in sources.items()}
    table[records.ids[0]] = "changed"
    frame.loc[0, "label"] = "changed"
    own.labels[records.ids[0]] = "changed"  # type: ignore[index]
    path.write_text("gone")
    for pipeline in bound.values():
        for again in (pipeline, pipeline, pipeline.load(fmt="wfdb")):
            assert [t for b in again.batches(3) for t in b.target] == ["N"] * 4


def test_a_mapping_of_paths_that_changes_after_binding_does_not_change_the_pipeline(records: EcgDataset) -> None:
    paths = {str(name): path for name, path in zip(records.ids, records.paths, strict=True)}
    bound = records >> Pipeline().load(src=paths, fmt="wfdb")
    paths.clear()
    assert len(bound.next_batch(4).signal) == 4


def test_a_table_that_does_not_fit_is_refused_when_it_is_bound_with_its_step(records: EcgDataset) -> None:
    template = Pipeline().load(fmt="wfdb").load(src={"B1": "N"}, components="target")
    with pytest.raises(LabelError, match=r"labels none of the records.*\[step 2, load\(src="):
        records >> template


def test_the_labels_of_a_data_set_are_a_copy() -> None:
    labels = {"a": "N"}
    dataset = EcgDataset({"a": "a.hea"}, labels=labels)
    labels["a"] = "A"
    assert dataset.labels == {"a": "N"}


def test_the_nearest_ids_are_looked_up_only_for_a_message_that_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def looked_up(name: str, known: Iterable[str]) -> str:
        asked.append(name)
        return nearest(name, known)

    # A look-up compares with every id of the table: one for each of n records takes n² comparisons.
    monkeypatch.setattr("cardioflow.pipeline.labels.table.nearest", looked_up)
    dataset = EcgDataset({f"r{i:03d}": f"r{i:03d}.hea" for i in range(300)})
    table = dict.fromkeys(dataset.ids[::2], "N")
    run = (dataset >> Pipeline().load(src=table, components="target")).run(batch_size=32, on_error="skip")
    assert [s.record for s in run.skipped] == list(dataset.ids[1::2])
    assert asked == []
    assert str(run.skipped[0].reason).startswith(
        "the mapping has no label for record 'r001'. Add it to the table, or leave such records out with "
        "missing='drop'. Did you mean 'r"
    )
    assert asked == ["r001"]


def test_a_missing_label_pickles_without_the_table() -> None:
    table = LabelTable.read({f"r{i:05d}": "N" for i in range(10_000)}, TableShape())
    error = table.targets(["r99999"])[1]["r99999"]
    text = pickle.dumps(error)
    assert len(text) < 2000
    again = pickle.loads(text)
    assert isinstance(again, MissingLabelError)
    assert (again.record, str(again)) == ("r99999", str(error.args[0]))
