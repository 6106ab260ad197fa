"""The HTTP service."""

from __future__ import annotations

import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from cardioflow.bundle.bundle import Bundle
from cardioflow.bundle.loading import load
from cardioflow.errors import ConfigError
from cardioflow.serve._fastapi import FastAPI, JSONResponse, Request, Response, TrustedHostMiddleware
from cardioflow.serve.metrics import Metrics
from cardioflow.serve.pool import Pool
from cardioflow.serve.reading import Form, answers_for, described
from cardioflow.serve.refusal import RefusalError
from cardioflow.serve.settings import ServerSettings
from cardioflow.serve.uploads import drain, refuse_long, safe_name, save, unpacked

__all__ = ["create_app"]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def create_app(settings: ServerSettings | None = None) -> FastAPI:
    """Return the service as a FastAPI application, with its bundles loaded.

    Raises:
        MissingDependencyError: when FastAPI is not installed.
        DumpError: when a bundle cannot be loaded.
        ConfigError: when two bundles have one name.
    """
    own = settings or ServerSettings()
    bundles = _loaded(own)
    pool = Pool(own.workers, own.queue)
    metrics = Metrics(lambda: pool.admitted)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        pool.close()

    app = FastAPI(
        title="CardioFlow", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json", lifespan=lifespan
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(own.hosts))
    service = _Service(own, bundles, pool, metrics)
    _add_pages(app, service)
    _add_api(app, service)
    app.middleware("http")(_with_headers)
    app.exception_handler(RefusalError)(_refused)
    return app


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


class _Service:
    """What the routes share."""

    def __init__(self, settings: ServerSettings, bundles: dict[str, Bundle], pool: Pool, metrics: Metrics) -> None:
        self.settings = settings
        self.bundles = bundles
        self.pool = pool
        self.metrics = metrics

    async def predict(
        self, bundle: str, chunks: AsyncIterator[bytes], filename: str, form: Form, *, identify: bool
    ) -> dict[str, Any]:
        """Return the answer for a body, and count it."""
        start = time.perf_counter()
        known = bundle if bundle in self.bundles else "unknown"
        status = 200
        try:
            found = await self._predict(bundle, chunks, filename, form, identify=identify)
        except RefusalError as refusal:
            status = refusal.status
            raise
        except Exception:
            status = 500
            raise
        finally:
            self.metrics.request(known, status, time.perf_counter() - start)
        return found

    async def _predict(
        self, bundle: str, chunks: AsyncIterator[bytes], filename: str, form: Form, *, identify: bool
    ) -> dict[str, Any]:
        if bundle not in self.bundles:
            raise RefusalError(404, f"There is no bundle of that name. There are: {', '.join(sorted(self.bundles))}.")
        if identify and not self.settings.allow_identify:
            raise RefusalError(403, "This server does not give what identifies a patient. Leave identify out.")
        name = safe_name(filename)
        self.pool.admit()
        folder: Any = tempfile.TemporaryDirectory(prefix="cardioflow-")
        try:
            path = Path(folder.name) / name
            most = round(self.settings.max_upload_mb * 1e6)
            await save(chunks, path, most=most, seconds=self.settings.upload_timeout_s)
        except BaseException:
            self.pool.leave()
            folder.cleanup()
            raise
        work = partial(self._work, folder, path, bundle, form, identify=identify)
        return await self.pool.run(work, self.settings.timeout_s)

    def _work(self, folder: Any, path: Path, bundle: str, form: Form, *, identify: bool) -> dict[str, Any]:
        """Return the answer; runs in a thread, and removes the upload in any case."""
        with folder:
            inside = Path(folder.name) / "record"
            inside.mkdir()
            own = unpacked(path, inside, most=round(self.settings.max_upload_mb * 4e6))
            found = answers_for(self.bundles[bundle], own, form, identify=identify)
        self.metrics.answer(bundle, "judged" if found.get("judged", True) else "not judged")
        return found


def _add_pages(app: FastAPI, service: _Service) -> None:
    """Add the page, health and metrics."""

    def static(name: str, kind: str) -> Callable[[], Any]:
        content = files("cardioflow.serve").joinpath(name).read_bytes()
        return lambda: Response(content, media_type=kind)

    for route, name, kind in (
        ("/", "page.html", "text/html; charset=utf-8"),
        ("/page.js", "page.js", "text/javascript; charset=utf-8"),
        ("/page.css", "page.css", "text/css; charset=utf-8"),
    ):
        app.get(route, include_in_schema=False)(static(name, kind))

    @app.get("/health", summary="Whether the server answers, and how busy it is")
    def health() -> dict[str, Any]:
        return {"status": "ok", "bundles": sorted(service.bundles), "admitted": service.pool.admitted}

    @app.get("/metrics", summary="Counters for Prometheus", response_class=Response)
    def metrics() -> Any:
        content, kind = service.metrics.text()
        return Response(content, media_type=kind)


def _add_api(app: FastAPI, service: _Service) -> None:
    """Add the routes of predictions."""

    @app.get("/v1/bundles", summary="The bundles that are served, and what they are for and not for")
    def bundles() -> list[dict[str, Any]]:
        return [dict(described(own)) for own in service.bundles.values()]

    body = {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
    reasons = {400: "No body, or a bad name", 403: "Not allowed", 404: "No such bundle", 408: "Too slow"}
    reasons |= {413: "Too large", 422: "Not an ECG that can be read", 503: "Busy"}

    @app.post(
        "/v1/predict/{bundle}",
        summary="What a bundle says of the ECG file in the body; a WFDB record is sent as one ZIP archive",
        openapi_extra={"requestBody": body},
        responses={status: {"description": text} for status, text in reasons.items()},
    )
    async def predict(
        request: Request, bundle: str, filename: str, form: Form = "json", *, identify: bool = False
    ) -> Any:
        most = service.settings.max_upload_mb * 1e6
        try:
            refuse_long(request.headers.get("content-length", ""), most)
            found = await service.predict(bundle, request.stream(), filename, form, identify=identify)
        except RefusalError:
            # A client that is still sending would not read the reason.
            await drain(request.stream(), most=4 * most, seconds=1.0)
            raise
        kind = "application/fhir+json" if form == "fhir" else "application/json"
        return JSONResponse(found, media_type=kind)


async def _with_headers(request: Any, call_next: Callable[[Any], Awaitable[Any]]) -> Any:
    response = await call_next(request)
    response.headers.update(_HEADERS)
    return response


async def _refused(_: Any, refusal: Exception) -> Any:
    assert isinstance(refusal, RefusalError)  # noqa: S101 -- the handler of that class
    # What is left of a body is not read to its end, which need not come.
    headers = {"Connection": "close"} | ({"Retry-After": "2"} if refusal.status == 503 else {})
    return JSONResponse({"detail": refusal.text}, refusal.status, headers=headers)
