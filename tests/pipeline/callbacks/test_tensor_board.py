"""What TensorBoard's own reader finds in the event files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from cardioflow import callbacks
from cardioflow.callbacks import Callback
from cardioflow.errors import ConfigError, InputError

pytest.importorskip("tensorboard")


@pytest.fixture
def training(loading, counting) -> Any:
    """A pipeline whose model counts its updates, and so is its loss."""

    class Counts(type(counting)):  # type: ignore[misc]
        def load(self, path: Any) -> Any:
            self.updates = [()] * int(Path(path).read_text(encoding="utf-8"))

    return lambda: loading.import_model("m", Counts()).train_on_batch("m")


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder)).Reload()
    return {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_the_figures_of_every_epoch_are_written_at_the_number_of_batches(training, twelve, tmp_path) -> None:
    (twelve >> training()).run(5, n_epochs=3, threads=0, callbacks=[callbacks.TensorBoard(tmp_path / "logs")])
    # The counting model's loss is the number of its updates.
    assert scalars(tmp_path / "logs") == {"m.train_loss": [(3, 2.0), (6, 5.0), (9, 8.0)]}


def test_losses_of_batches_are_written_where_asked_for(training, twelve, tmp_path) -> None:
    own = callbacks.TensorBoard(tmp_path / "logs", batches=True)
    (twelve >> training()).run(5, n_epochs=2, threads=0, callbacks=[own])
    found = scalars(tmp_path / "logs")
    assert found["m.train_loss/batch"] == [(n, float(n)) for n in range(1, 7)]
    assert found["m.train_loss"] == [(3, 2.0), (6, 5.0)]


def test_a_run_that_goes_on_shows_every_step_once(training, twelve, tmp_path) -> None:
    class Kills(Callback):
        def __init__(self, at: int) -> None:
            self._at = at

        def batch_end(self, context: Any, logs: Any) -> None:
            if logs.number == self._at:
                raise KeyError("killed")

    def run(kill: int) -> None:
        own = callbacks.TensorBoard(tmp_path / "logs", batches=True)
        options = {"checkpoint": tmp_path / "c", "every": 5, "callbacks": (own, Kills(kill))}
        (twelve >> training()).run(5, n_epochs=4, threads=0, **options)

    with pytest.raises(KeyError):
        run(8)
    run(-1)
    found = scalars(tmp_path / "logs")
    assert [step for step, _ in found["m.train_loss/batch"]] == list(range(1, 13))
    assert [step for step, _ in found["m.train_loss"]] == [3, 6, 9, 12]


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(InputError, match=r"TensorBoard\(folder=3\) is not a path\. Pass the name of a folder"):
        callbacks.TensorBoard(3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"TensorBoard\(batches=1\): expected True or False"):
        callbacks.TensorBoard("logs", batches=1)  # type: ignore[arg-type]


def test_a_missing_package_is_named_before_a_record_is_read(training, twelve, tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(
        ImportError,
        match=r"tensorboard is not installed, and this needs it.*pip install 'cardioflow\[tracking",
    ):
        (twelve >> training()).run(5, callbacks=[callbacks.TensorBoard(tmp_path)])
