"""Files that steps write are neither lost nor refused nor written otherwise when a run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardioflow.errors import InputError


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("exists", ["raise", "skip", "overwrite"])
def test_every_record_is_dumped_once(train, prepared, tmp_path, exists) -> None:
    def dumping(folder: str) -> Any:
        return prepared.random_gaussian_noise(0.1).rebatch(3).dump(tmp_path / folder, fmt="npz", exists=exists)

    for kill in (0, 3, 5):
        train(tmp_path / "c", kill=kill, n_epochs=1, every=4, template=dumping("parts"))
        n_dumped = len(contents(tmp_path / "parts"))
        assert n_dumped == 3 * ((4 * (kill + 1)) // 3)
    train(tmp_path / "c", n_epochs=1, every=4, template=dumping("parts"))
    # The folder is an argument of the step, so that the run of reference has its own.
    train(n_epochs=1, template=dumping("whole"))
    found, expected = contents(tmp_path / "parts"), contents(tmp_path / "whole")
    assert found.keys() == expected.keys()
    assert len(found) == 30
    for name in found:
        with np.load(tmp_path / "parts" / name) as a, np.load(tmp_path / "whole" / name) as b:
            assert all(np.array_equal(a[key], b[key]) for key in a.files)


def test_a_file_that_was_there_before_is_still_refused_by_a_run_that_goes_on(train, prepared, tmp_path) -> None:
    template = prepared.dump(tmp_path / "d", fmt="npz")
    train(tmp_path / "c", kill=2, n_epochs=1, every=100, template=template)
    theirs = next(name for name in map(str, range(30)) if not (tmp_path / "d" / f"{name}.npz").exists())
    (tmp_path / "d" / f"{theirs}.npz").write_bytes(b"somebody else's")
    with pytest.raises(InputError, match=rf"{theirs}\.npz exists already\. Pass exists='skip' or exists='overwrite'"):
        train(tmp_path / "c", n_epochs=1, every=100, template=template)
    assert (tmp_path / "d" / f"{theirs}.npz").read_bytes() == b"somebody else's"


def test_a_record_of_the_epoch_before_is_refused_as_in_a_run_that_was_never_stopped(
    train, assert_same, prepared, tmp_path
) -> None:
    def dumping(folder: str) -> Any:
        return prepared.dump(tmp_path / folder, fmt="npz")

    def go(folder: str, *args: Any, **options: Any) -> Any:
        return train(*args, on_error="skip", n_epochs=2, template=dumping(folder), **options)

    for kill in (3, 9, 11):
        go("parts", tmp_path / "c", kill=kill)
    resumed, whole = go("parts", tmp_path / "c"), go("whole")
    assert len(whole.skipped) == len(resumed.skipped) == 30
    assert [s.record for s in resumed.skipped] == [s.record for s in whole.skipped]


def test_files_dumped_after_a_checkpoint_that_is_damaged_are_known_as_well(train, prepared, tmp_path) -> None:
    template = prepared.dump(tmp_path / "d", fmt="npz")
    train(tmp_path / "c", kill=6, n_epochs=1, every=2, template=template)
    last = sorted((tmp_path / "c").glob("checkpoint-*"))[-1]
    (last / "state.json").unlink()
    with pytest.warns(UserWarning, match="is damaged, and the run goes on from"):
        train(tmp_path / "c", n_epochs=1, every=2, template=template)
    assert len(contents(tmp_path / "d")) == 30


def test_an_earlier_attempt_that_came_further_is_not_forgotten_with_the_next_checkpoint(
    train, prepared, tmp_path
) -> None:
    template = prepared.dump(tmp_path / "d", fmt="npz")
    train(tmp_path / "c", kill=6, n_epochs=1, every=100, template=template)
    # This time, checkpoints are written before the place where the first attempt ended.
    train(tmp_path / "c", kill=2, n_epochs=1, every=1, template=template)
    train(tmp_path / "c", n_epochs=1, every=1, template=template)
    assert len(contents(tmp_path / "d")) == 30


def test_a_torn_line_of_the_journal_is_not_one_of_a_file(train, prepared, tmp_path) -> None:
    template = prepared.dump(tmp_path / "d", fmt="npz")
    train(tmp_path / "c", kill=2, n_epochs=1, every=100, template=template)
    (journal,) = (tmp_path / "c").glob("written-*.jsonl")
    with journal.open("a", encoding="utf-8") as file:
        file.write('[3, "5, dump')
    train(tmp_path / "c", n_epochs=1, every=100, template=template)
    assert len(contents(tmp_path / "d")) == 30
