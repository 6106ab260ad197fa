"""A progress bar with rate, loss and time left; quiet when nobody looks."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, final

__all__ = ["Progress"]


@final
class Progress:
    """Counts the records drawn; ``shown=None`` shows the bar on a terminal only."""

    def __init__(self, n_records: int | None, *, shown: bool | None) -> None:
        self._total = n_records
        # What tqdm takes as "only where standard error is a terminal".
        self._disable = None if shown is None else not shown
        self._bar: Any = None

    def __enter__(self) -> Self:
        from tqdm import tqdm

        self._bar = tqdm(total=self._total, disable=self._disable, unit=" records", dynamic_ncols=True, smoothing=0.1)
        return self

    def drawn(self, n: int) -> None:
        """Count ``n`` more records."""
        self._bar.update(n)

    def show(self, numbers: dict[str, float]) -> None:
        """Show ``numbers`` beside the bar."""
        if not self._bar.disable:
            self._bar.set_postfix({k: f"{v:.4f}" for k, v in numbers.items()}, refresh=False)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()
