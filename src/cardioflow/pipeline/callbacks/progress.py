"""A progress bar with rate, loss and time left; nothing where standard error is not a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from cardioflow.pipeline.callbacks._remembering import Remembering
from cardioflow.pipeline.callbacks.base import BatchLogs

if TYPE_CHECKING:
    from cardioflow.pipeline.context import RunContext

__all__ = ["Progress"]


@final
class Progress(Remembering):
    """Counts the records drawn and shows the latest losses and metrics, and the step that the run waits for most.

    Args:
        n_records: How many records the run draws; ``None`` where it has no end.
        shown: Whether the bar is shown; ``None`` shows it on a terminal only.
    """

    def __init__(self, n_records: int | None, *, shown: bool | None) -> None:
        super().__init__()
        self._total = n_records
        # What tqdm takes as "only where standard error is a terminal".
        self._disable = None if shown is None else not shown
        self._bar: Any = None

    def fresh(self) -> dict[str, Any]:
        return {"n_drawn": 0}

    def run_start(self, context: RunContext) -> None:
        from tqdm import tqdm

        super().run_start(context)
        # A run that goes on from a checkpoint does not begin at the left.
        shown = {"initial": self.memory["n_drawn"], "dynamic_ncols": True, "smoothing": 0.1}
        self._bar = tqdm(total=self._total, disable=self._disable, unit=" records", **shown)

    def batch_end(self, context: RunContext, logs: BatchLogs) -> None:
        self.memory["n_drawn"] += logs.n_drawn
        self._bar.update(logs.n_drawn)
        if self._bar.disable:
            return
        shown = {name: f"{value:.4f}" for m in logs.measurements for name, value in m.values.items()}
        if context.log.slowest:
            shown["slowest"] = context.log.slowest.partition("(")[0]
        if shown:
            self._bar.set_postfix(shown, refresh=False)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
