"""Bundles as an HTTP service."""

from __future__ import annotations

from cardioflow.cli.printing import say
from cardioflow.core.optional import needed
from cardioflow.serve.settings import ServerSettings

__all__ = ["serve"]


def serve(settings: ServerSettings, host: str, port: int) -> None:
    """Listen on ``host`` and ``port`` until the process is stopped.

    Raises:
        MissingDependencyError: when FastAPI or uvicorn is not installed.
        ConfigError: when the port is in use.
    """
    needed("uvicorn", extra="serve")
    from cardioflow.serve.running import is_loopback, run

    if not is_loopback(host):
        text = "other machines can reach it, without a password or encryption; put a proxy with both before it."
        say(f"cardioflow: {host} is not a loopback address: {text}", err=True)
    run(settings, host, port, lambda url: say(f"Serving {', '.join(settings.bundles)} at {url}", err=True))
