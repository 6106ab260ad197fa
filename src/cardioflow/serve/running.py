"""A server that listens."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cardioflow.core.optional import needed
from cardioflow.errors import ConfigError
from cardioflow.serve.app import create_app
from cardioflow.serve.settings import ServerSettings

__all__ = ["is_loopback", "listening", "run", "server_for"]


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to ``host`` and ``port``; port 0 takes a free one.

    Raises:
        ConfigError: when the port is in use, or the host is not of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"--host {host!r} is not a name or an address: {error}.") from None
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(address)
        made.listen(128)
    except OSError as error:
        made.close()
        raise ConfigError(
            f"The server cannot listen on {host}, port {port}: {error.strerror}. Choose another one with --port, or "
            "stop the program that uses it."
        ) from None
    return made


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def server_for(app: Any, settings: ServerSettings) -> Any:
    """Return a uvicorn server of ``app``; its ``serve`` or ``run`` takes the sockets.

    Raises:
        MissingDependencyError: when uvicorn is not installed.
    """
    uvicorn: Any = needed("uvicorn", extra="serve")
    from cardioflow.serve.deadline import DeadlineProtocol, connections

    config = uvicorn.Config(
        app,
        http=DeadlineProtocol,
        ws="none",
        log_level="warning",
        # A line per request would hold the names of files.
        access_log=False,
        limit_concurrency=connections(settings),
        timeout_keep_alive=5,
        server_header=False,
    )
    return uvicorn.Server(config)


def run(settings: ServerSettings, host: str, port: int, ready: Callable[[str], None] | None = None) -> None:
    """Serve until the process is stopped; ``ready`` is called with the URL as soon as the bundles are loaded.

    Raises:
        ConfigError: when the port is in use.
        MissingDependencyError: when uvicorn is not installed.
    """
    with listening(host, port) as own:
        app = create_app(replace(settings, hosts=tuple(dict.fromkeys((*settings.hosts, host)))))
        if ready is not None:
            name = f"[{host}]" if ":" in host else host
            ready(f"http://{name}:{own.getsockname()[1]}")
        server_for(app, settings).run(sockets=[own])
