"""What the routes of the server share: bundles, the queue, limits and counters."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, final

from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.loading import load
from cardioflow.errors import ConfigError
from cardioflow.serve._fastapi import Request
from cardioflow.serve.arrivals import Arrivals
from cardioflow.serve.metrics import Metrics
from cardioflow.serve.pool import Pool
from cardioflow.serve.refusal import RefusalError
from cardioflow.serve.settings import ServerSettings
from cardioflow.serve.uploads import refuse_long, safe_name, save, unpacked

__all__ = ["Service"]

T = TypeVar("T")


@final
class Service:
    """Bundles that are loaded, and the work on uploads within the limits of ``settings``.

    Raises:
        DumpError: when a bundle cannot be loaded.
        ConfigError: when two bundles have one name.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.bundles: Mapping[str, Bundle] = _loaded(settings)
        self.pool = Pool(settings.workers, settings.queue)
        self.arrivals = Arrivals(settings.arriving)
        self.metrics = Metrics(admitted=lambda: self.pool.admitted, arriving=lambda: len(self.arrivals))

    def require(self, bundle: str, *, identify: bool) -> Bundle:
        """Return a bundle by its name.

        Raises:
            RefusalError: when there is none, or the request asks for more than this server gives.
        """
        if bundle not in self.bundles:
            self.metrics.request("unknown", 404, 0.0)
            raise RefusalError(404, f"There is no bundle of that name. There are: {', '.join(sorted(self.bundles))}.")
        if identify and not self.settings.allow_identify:
            self.metrics.request(bundle, 403, 0.0)
            raise RefusalError(403, "This server does not give what identifies a patient. Leave identify out.")
        return self.bundles[bundle]

    async def answer(self, what: str, request: Request, filename: str, work: Callable[[Sequence[Path]], T]) -> T:
        """Return what ``work`` returns for the files in the body, and count the request as one for ``what``.

        Raises:
            RefusalError: for a body that is refused, a full queue, or work that takes too long.
        """
        start = time.perf_counter()
        status = 500
        try:
            refuse_long(request.headers.get("content-length", ""), self.settings.max_upload_mb * 1e6)
            found = await self._answer(request.stream(), filename, work)
            status = 200
        except RefusalError as refusal:
            status = refusal.status
            raise
        finally:
            self.metrics.request(what, status, time.perf_counter() - start)
        return found

    async def _answer(self, chunks: AsyncIterator[bytes], filename: str, work: Callable[[Sequence[Path]], T]) -> T:
        name = safe_name(filename)
        self.pool.refuse_full()
        folder: Any = tempfile.TemporaryDirectory(prefix="cardioflow-")
        try:
            path = Path(folder.name) / name
            with self.arrivals.place(self.settings.upload_timeout_s) as sender:
                await save(chunks, path, most=round(self.settings.max_upload_mb * 1e6), sender=sender)
            # A worker is asked for only now: a client that sends slowly keeps none.
            self.pool.admit()
        except BaseException:
            folder.cleanup()
            raise
        return await self.pool.run(partial(self._work, folder, path, work), self.settings.timeout_s)

    def _work(self, folder: Any, path: Path, work: Callable[[Sequence[Path]], T]) -> T:
        """Return the answer; runs in a thread, and removes the upload in any case."""
        with folder:
            inside = Path(folder.name) / "record"
            inside.mkdir()
            return work(unpacked(path, inside, most=round(self.settings.max_upload_mb * 4e6)))


def _loaded(settings: ServerSettings) -> dict[str, Bundle]:
    found: dict[str, Bundle] = {}
    for name in settings.bundles:
        bundle = load(name)
        if bundle.description.name in found:
            raise ConfigError(f"Two bundles are named {bundle.description.name!r}. Serve one of them.")
        found[bundle.description.name] = bundle
        # The first record would otherwise wait until kernels are compiled and libraries imported.
        leads = bundle.description.leads
        asked = ",".join(leads) if leads != "any" else "I,II"
        bundle.predict(f"simulated:SR?duration_s=10&fs=500&leads={asked}")
    return found
