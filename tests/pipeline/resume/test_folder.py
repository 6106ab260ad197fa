"""The folder of checkpoints: numbers, damage, full disks, and two runs at once."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cardioflow import V
from cardioflow.core.atomic import is_temporary
from cardioflow.errors import CheckpointError, ConfigError, WriteError


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


@pytest.mark.parametrize("keep", [1, 2, 5])
def test_the_last_checkpoints_are_kept_by_number(train, tmp_path, keep) -> None:
    train(tmp_path / "c", every=4, keep=keep)
    # One before the first batch, then after 4, 8 … 20 of 24 batches, and one of the run that ended.
    assert checkpoints(tmp_path / "c") == [f"checkpoint-{i:06d}" for i in range(1, 8)][-keep:]


@pytest.mark.parametrize("wrong", [{"keep": 0}, {"checkpoint": 3}, {"keep": 1.5}])
def test_wrong_arguments_are_refused(make_records, prepared, wrong) -> None:
    with pytest.raises(ConfigError, match=rf"run\({next(iter(wrong))}=.*\): expected "):
        (make_records() >> prepared).run(4, **wrong)


@pytest.mark.parametrize("file", ["state.json", "state.safetensors", "model-0/model", "model-0/training.safetensors"])
@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_is_used(train, assert_same, tmp_path, file, damage) -> None:
    train(tmp_path / "c", kill=9)
    last = tmp_path / "c" / checkpoints(tmp_path / "c")[-1] / file
    content = bytearray(last.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "gone":
        last.unlink()
    else:
        last.write_bytes(content if damage == "changed" else content[:-3])
    with pytest.warns(
        UserWarning, match=r"is damaged, and the run goes on from checkpoint-000004\. checkpoint-000005: "
    ):
        resumed = train(tmp_path / "c")
    assert_same(resumed, train())


def test_where_all_checkpoints_are_damaged_the_run_does_not_silently_start_anew(train, tmp_path) -> None:
    train(tmp_path / "c", kill=9)
    for name in checkpoints(tmp_path / "c"):
        (tmp_path / "c" / name / "files.json").unlink()
    with pytest.raises(CheckpointError, match=r"All checkpoints in .* are damaged\. .* Remove the folder to start"):
        train(tmp_path / "c")


def test_a_checkpoint_of_a_later_version_is_refused(train, tmp_path) -> None:
    train(tmp_path / "c", kill=9)
    for name in checkpoints(tmp_path / "c"):
        files = tmp_path / "c" / name / "files.json"
        files.write_text(json.dumps({**json.loads(files.read_text()), "version": 2}))
    with pytest.raises(CheckpointError, match=r"is of version 2, and this CardioFlow reads versions up to 1\. Update"):
        train(tmp_path / "c")


def test_what_a_checkpoint_says_is_not_run_and_stays_inside_its_folder(train, tmp_path) -> None:
    train(tmp_path / "c", kill=9)
    for name in checkpoints(tmp_path / "c"):
        files = tmp_path / "c" / name / "files.json"
        found = json.loads(files.read_text())
        found["files"]["../../secret"] = {"bytes": 1, "blake2b": ""}
        files.write_text(json.dumps(found))
    with pytest.raises(CheckpointError, match=r"files\.json names a file outside the folder"):
        train(tmp_path / "c")


def test_a_value_that_cannot_be_saved_is_named_and_nothing_is_half_written(train, prepared, tmp_path) -> None:
    template = prepared.call(lambda batch: object(), save_to=V("thing"))
    with pytest.raises(CheckpointError, match=r"cannot be saved: The value at variables\.thing is of the type object"):
        train(tmp_path / "c", template=template)
    assert checkpoints(tmp_path / "c") == ["checkpoint-000001"]
    assert not [path for path in (tmp_path / "c").rglob("*") if is_temporary(path)]


def test_a_full_disk_leaves_the_last_good_checkpoint(train, assert_same, tmp_path) -> None:
    train(tmp_path / "c", kill=9)
    before = checkpoints(tmp_path / "c")
    # A limit on the size of files fails like a full disk does, in the middle of a file.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    import signal

    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900, hard))
    try:
        with pytest.raises(
            WriteError, match=r"The checkpoint of the run was not written: .* The same call goes on from"
        ):
            train(tmp_path / "c")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert checkpoints(tmp_path / "c") == before
    assert not [path for path in (tmp_path / "c").rglob("*") if is_temporary(path)]
    assert_same(train(tmp_path / "c"), train())


def test_a_path_that_is_a_file_is_refused_before_a_record_is_read(train, tmp_path) -> None:
    (tmp_path / "c").write_text("")
    with pytest.raises(WriteError, match=r"The checkpoint folder .* cannot be used: .*Pass the path of a folder"):
        train(tmp_path / "c")


def test_a_second_run_in_the_same_process_is_refused(make_records, prepared, tmp_path) -> None:
    bound = make_records() >> prepared
    first = bound.batches(4, checkpoint=tmp_path / "c", threads=0)
    first.next_batch()
    with pytest.raises(
        CheckpointError, match=r"is in use by another run of this process\. Wait until it ends, stop it"
    ):
        bound.run(4, checkpoint=tmp_path / "c", threads=0)
    first.close()
    bound.run(4, checkpoint=tmp_path / "c", threads=0)


def test_a_run_of_another_process_is_named_and_leaves_no_lock_when_it_is_killed(
    make_records, prepared, tmp_path
) -> None:
    code = """
import sys
from pathlib import Path
from cardioflow.pipeline.checkpoint.lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""
    (tmp_path / "c").mkdir()
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "c")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    bound = make_records() >> prepared
    with pytest.raises(CheckpointError, match=rf"is in use by process {holder.pid} on '.+', since 20\d\d-\S+\. Wait"):
        bound.run(4, checkpoint=tmp_path / "c", threads=0)
    holder.kill()
    holder.communicate()
    bound.run(4, checkpoint=tmp_path / "c", threads=0)


def test_a_finished_and_a_failed_run_free_the_folder(train, tmp_path) -> None:
    train(tmp_path / "c", kill=2)
    train(tmp_path / "c")
    train(tmp_path / "c")
    with pytest.raises(CheckpointError, match="is of another run"):
        train(tmp_path / "c", seed=1)
    shutil.rmtree(tmp_path / "c")
    train(tmp_path / "c", seed=1)


def test_a_run_without_checkpoints_writes_nothing(train, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    train()
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_unreadable_values_is_refused_with_its_name(train, tmp_path) -> None:
    train(tmp_path / "c", kill=9, keep=1)
    (name,) = checkpoints(tmp_path / "c")
    folder = tmp_path / "c" / name

    def rewrite(state: Any) -> None:
        from cardioflow.pipeline.checkpoint import folder as module

        (folder / "state.json").write_text(json.dumps(state))
        run = module.run_of(folder)
        (folder / "files.json").unlink()
        module._write_index(folder, run)

    state = json.loads((folder / "state.json").read_text())
    rewrite({**state, "variables": {"$pickle": "gASVAAAA"}})
    with pytest.raises(CheckpointError, match=r"cannot be read: The value at variables has the unknown tag '\$pickle'"):
        train(tmp_path / "c")
    rewrite({key: value for key, value in state.items() if key != "skipped"})
    with pytest.raises(CheckpointError, match=r"does not hold the state of this run: KeyError\('skipped'\)"):
        train(tmp_path / "c")
