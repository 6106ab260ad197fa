"""FastAPI, or the command that installs it."""

from __future__ import annotations

from cardioflow.core.optional import needed

needed("fastapi", extra="serve")

from fastapi import FastAPI, Request, Response  # noqa: E402 -- after the check
from fastapi.middleware.trustedhost import TrustedHostMiddleware  # noqa: E402
from fastapi.responses import JSONResponse  # noqa: E402
from starlette.requests import ClientDisconnect  # noqa: E402

__all__ = ["ClientDisconnect", "FastAPI", "JSONResponse", "Request", "Response", "TrustedHostMiddleware"]
