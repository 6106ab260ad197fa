"""The HTTP service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any, Final

from cardioflow.report.page.page import script_source
from cardioflow.serve._fastapi import FastAPI, JSONResponse, Request, Response, TrustedHostMiddleware
from cardioflow.serve.answering import Answering
from cardioflow.serve.looking import measured, report_page
from cardioflow.serve.reading import Form, answers_for, described
from cardioflow.serve.refusal import RefusalError
from cardioflow.serve.service import Service
from cardioflow.serve.settings import ServerSettings

__all__ = ["create_app"]

_BODY: Final = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
}
_REASONS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "No body, or a bad name"},
    403: {"description": "Not allowed"},
    404: {"description": "No such bundle"},
    408: {"description": "Too slow"},
    413: {"description": "Too large"},
    422: {"description": "Not an ECG that can be read"},
    503: {"description": "Busy"},
}


def create_app(settings: ServerSettings | None = None) -> FastAPI:
    """Return the service as a FastAPI application, with its bundles loaded.

    Raises:
        MissingDependencyError: when FastAPI is not installed.
        DumpError: when a bundle cannot be loaded.
        ConfigError: when two bundles have one name.
    """
    own = settings or ServerSettings()
    service = Service(own)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        service.pool.close()

    app = FastAPI(
        title="CardioFlow", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json", lifespan=lifespan
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(own.hosts))
    _add_pages(app, service)
    _add_predictions(app, service)
    _add_reports(app, service)
    # A browser uploads a file whole before it shows the reason of a refusal, hence more than a file may have.
    app.add_middleware(Answering, headers=_headers(), most=4e6 * own.max_upload_mb, seconds=own.linger_s)
    app.exception_handler(RefusalError)(_refused)
    return app


def _headers() -> dict[str, str]:
    """Return the headers of every response.

    The page shows a report in a frame, which keeps to the policy of the page: hence the script of reports, by its
    hash, their styles inside and their images.
    """
    policy = (
        f"default-src 'none'; script-src 'self' {script_source()}; style-src 'self' 'unsafe-inline'; "
        "img-src data:; connect-src 'self'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


def _add_pages(app: FastAPI, service: Service) -> None:
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


def _add_predictions(app: FastAPI, service: Service) -> None:
    """Add the routes of bundles."""

    @app.get("/v1/bundles", summary="The bundles that are served, and what they are for and not for")
    def bundles() -> list[dict[str, Any]]:
        return [dict(described(own)) for own in service.bundles.values()]

    @app.post(
        "/v1/predict/{bundle}",
        summary="What a bundle says of the ECG file in the body; a WFDB record is sent as one ZIP archive",
        openapi_extra=_BODY,
        responses=_REASONS,
    )
    async def predict(
        request: Request, bundle: str, filename: str, form: Form = "json", *, identify: bool = False
    ) -> Any:
        own = service.require(bundle, identify=identify)
        found = await service.answer(
            bundle, request, filename, lambda given: answers_for(own, given, form, identify=identify)
        )
        service.metrics.answer(bundle, "judged" if found.judged else "not judged")
        return JSONResponse(found.values, media_type="application/fhir+json" if form == "fhir" else "application/json")


def _add_reports(app: FastAPI, service: Service) -> None:
    """Add the routes that need no bundle."""

    @app.post(
        "/v1/measure",
        summary="Heart rate, intervals, axes and amplitudes of the ECG file in the body",
        openapi_extra=_BODY,
        responses=_REASONS,
    )
    async def measure(request: Request, filename: str) -> Any:
        return JSONResponse(await service.answer("measure", request, filename, measured))

    @app.post(
        "/v1/report",
        summary="The report on the ECG file in the body, as a page of HTML",
        openapi_extra=_BODY,
        responses=_REASONS,
        response_class=Response,
    )
    async def report(request: Request, filename: str) -> Any:
        rhythm = service.bundles.get("af")
        page = await service.answer("report", request, filename, lambda given: report_page(given, rhythm))
        return Response(page, media_type="text/html; charset=utf-8")


async def _refused(_: Any, refusal: Exception) -> Any:
    assert isinstance(refusal, RefusalError)  # noqa: S101 -- the handler of that class
    headers = {"Retry-After": "2"} if refusal.status == 503 else None
    return JSONResponse({"detail": refusal.text}, refusal.status, headers=headers)
