"""One run at a time writes to a folder of checkpoints, and knows the files that it had begun when it was stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cardioflow.errors import CheckpointError
from cardioflow.pipeline.checkpoint.interruption import HeldSignals, interruption, interruption_in
from cardioflow.pipeline.checkpoint.journal import Journal
from cardioflow.pipeline.checkpoint.lock import FolderLock

# -- the lock -----------------------------------------------------------------------------


def test_a_folder_is_free_again_when_it_is_released(tmp_path: Path) -> None:
    first, second = FolderLock(tmp_path), FolderLock(tmp_path / "." / "")
    first.acquire()
    held = json.loads((tmp_path / "lock").read_text())
    assert held["pid"] == os.getpid()
    with pytest.raises(CheckpointError, match=r"is in use by another run of this process\. Wait until it ends"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_two_names_of_one_folder_are_one_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    lock, other = FolderLock(tmp_path / "real"), FolderLock(tmp_path / "link")
    lock.acquire()
    with pytest.raises(CheckpointError, match="another run of this process"):
        other.acquire()
    lock.release()


def test_a_failed_attempt_releases_nothing_of_the_holder(tmp_path: Path) -> None:
    holder, other = FolderLock(tmp_path), FolderLock(tmp_path)
    holder.acquire()
    for _ in range(2):
        with pytest.raises(CheckpointError):
            other.acquire()
        other.release()
    holder.release()


HOLDS = """
import fcntl, sys, time
file = open(sys.argv[1], "a+")
fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
file.truncate(0)
file.write(sys.argv[2])
file.flush()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the program that holds the lock uses fcntl")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"pid": 12, "host": "node7", "since": "2026-01-02T03:04:05"}', r"process 12 on 'node7', since 2026-01-02T03"),
        ("not json", r"is in use by another process"),
    ],
)
def test_another_process_is_named_as_far_as_it_said_who_it_is(tmp_path: Path, text: str, said: str) -> None:
    command = [sys.executable, "-S", "-c", HOLDS, str(tmp_path / "lock"), text]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CheckpointError, match=said):
            FolderLock(tmp_path).acquire()
        holder.communicate("")
    lock = FolderLock(tmp_path)
    lock.acquire()
    assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()
    lock.release()


# -- the journal ---------------------------------------------------------------------------


def test_rows_that_were_begun_are_known_to_the_run_that_goes_on(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.restore(0)
    assert first.begin(0, "2, dump()", ["a", "b"]) == frozenset()
    assert first.begin(1, "2, dump()", ["c"]) == frozenset()
    first.close()
    again = Journal(tmp_path)
    again.restore(0)
    assert again.begin(0, "2, dump()", []) == {"a", "b"}
    assert again.begin(1, "2, dump()", ["c"]) == {"c"}
    # Another step, and another batch, have begun nothing.
    assert again.begin(1, "3, dump()", []) == again.begin(2, "2, dump()", []) == frozenset()
    again.close()
    again.close()


def test_half_a_line_of_a_killed_run_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "written-000002.jsonl"
    path.write_bytes(b'[4, "s", ["a"]]\n[5, "s"]\n{}\n\xff\xfe\n[6, "s", ["\xc3\xa4"]]\n[7, "s", ["b"')
    journal = Journal(tmp_path)
    journal.restore(2)
    found = {batch: journal.begin(batch, "s", []) for batch in range(4, 8)}
    journal.close()
    assert found == {4: {"a"}, 5: frozenset(), 6: {"ä"}, 7: frozenset()}


def test_what_was_begun_before_the_checkpoint_is_not_begun_any_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.restore(0)
    for batch, row in enumerate("abcd"):
        journal.begin(batch, "s", [row])
    # Checkpoint 1 was written after batch 2: batches 0 to 2 are whole.
    journal.follow(1, 3)
    journal.begin(4, "s", ["e"])
    journal.close()
    again = Journal(tmp_path)
    again.restore(1)
    assert [again.begin(batch, "s", []) for batch in range(3)] == [frozenset()] * 3
    journal.close()
    again.close()


def test_a_run_that_had_come_further_is_not_forgotten_by_one_that_is_stopped_early(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.restore(0)
    for batch, row in enumerate("abcd"):
        first.begin(batch, "s", [row])
    first.close()
    second = Journal(tmp_path)
    second.restore(0)
    second.begin(0, "s", ["a"])
    second.follow(1, 1)
    second.close()
    third = Journal(tmp_path)
    third.restore(1)
    assert [third.begin(batch, "s", []) for batch in (1, 2, 3)] == [{"b"}, {"c"}, {"d"}]
    third.close()


def test_only_journals_of_checkpoints_that_are_gone_are_removed(tmp_path: Path) -> None:
    for number in (0, 1, 2, 1_000_000):
        (tmp_path / f"written-{number:06d}.jsonl").write_text("")
    (tmp_path / "written-mine.jsonl").write_text("")
    (tmp_path / "written.txt").write_text("")
    Journal(tmp_path).forget(2)
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left[:2] == ["written-000002.jsonl", "written-1000000.jsonl"]
    assert "written.txt" in left


# -- signals ---------------------------------------------------------------------------------


@pytest.fixture
def _default_handlers():
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_default_handlers")
def test_the_first_signal_is_noted_and_the_second_acts() -> None:
    with HeldSignals() as held:
        assert held.received is None
        signal.raise_signal(signal.SIGINT)
        assert held.received == signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.usefixtures("_default_handlers")
def test_a_signal_that_the_program_handles_itself_is_left_to_it() -> None:
    seen: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    with HeldSignals() as held:
        signal.raise_signal(signal.SIGTERM)
        assert (held.received, seen) == (None, [signal.SIGTERM])
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt, match="saved in 'x'"):
            held.act("The run was stopped and saved in 'x'.")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.usefixtures("_default_handlers")
def test_handlers_are_those_of_before_also_after_an_error() -> None:
    with pytest.raises(ValueError, match="inside"), HeldSignals():
        raise ValueError("inside")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_outside_the_main_thread_nothing_is_held() -> None:
    found: list[object] = []

    def work() -> None:
        before = signal.getsignal(signal.SIGINT)
        with HeldSignals():
            found.append(signal.getsignal(signal.SIGINT) is before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True]


@pytest.mark.parametrize(
    ("total", "is_saved", "said"),
    [
        (10, False, "The run was interrupted in batch 3 of 10. Pass checkpoint=… to be able to go on from where"),
        (None, True, "The run was interrupted in batch 3. Run the same call again to go on from its last checkpoint."),
    ],
)
def test_an_interruption_says_where_it_was_and_what_to_do(
    total: int | None, is_saved: bool, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: others.append(error))
    error = interruption_in(3, total, is_saved=is_saved)
    # A subclass would not end a shell's loop as Ctrl-C does.
    assert type(error) is KeyboardInterrupt
    assert str(error).startswith(said)
    sys.excepthook(KeyboardInterrupt, error, None)
    assert capsys.readouterr().err == f"{error}\n"
    assert others == []
    # Every other error is shown as before, and the hook is put in place once.
    interruption("again")
    hook = sys.excepthook
    interruption("and again")
    assert sys.excepthook is hook
    plain = KeyboardInterrupt()
    hook(KeyboardInterrupt, plain, None)
    hook(ValueError, ValueError("x"), None)
    assert next(own[1] for own in others) is plain  # type: ignore[index]
    assert len(others) == 2
