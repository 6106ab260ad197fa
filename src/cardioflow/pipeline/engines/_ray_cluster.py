"""The cluster that a run uses: one that runs already, one at an address, or a local one of its own."""

from __future__ import annotations

import os
import socket
from typing import Any, Final, final
from urllib.parse import urlsplit

from cardioflow.core.optional import needed
from cardioflow.errors import ConfigError

__all__ = ["Cluster", "ray_module"]

_PATIENCE_S: Final = 10.0
_SETTINGS: Final = 4
"""The type of a frame of HTTP/2."""


def ray_module() -> Any:
    """Return the module ``ray``.

    Raises:
        MissingDependencyError: when it is not installed.
    """
    for module in ("ray.cloudpickle", "ray.data"):
        needed(module, extra="ray")
    return needed("ray", extra="ray")


@final
class Cluster:
    """A connection to a cluster; one that the run started or connected to itself ends with it."""

    def __init__(self, address: str | None) -> None:
        ray = ray_module()
        self._is_own = not ray.is_initialized()
        if not self._is_own:
            _check_same(ray, address)
            return
        try:
            ray.init(
                # Without an address, Ray would join any cluster that it finds on this machine.
                address=address or os.environ.get("RAY_ADDRESS") or "local",
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise ConfigError(_unanswered(address, reason + _token_hint(address))) from error

    def close(self) -> None:
        """Disconnect, and end a cluster that was started for the run."""
        if self._is_own:
            ray_module().shutdown()

    @staticmethod
    def check(address: str | None) -> None:
        """Check that something answers at ``address``: Ray itself would wait for minutes.

        Raises:
            ConfigError: when nothing does.
        """
        if address is None or address == "auto" or ray_module().is_initialized():
            return
        place = urlsplit(address if "://" in address else f"//{address}")
        try:
            host, port = place.hostname, place.port
        except ValueError:
            host, port = None, None
        if not host or not port:
            raise ConfigError(
                f"run(address={address!r}) is not the address of a Ray cluster. Pass 'host:6379', 'ray://host:10001' "
                "or 'auto', which takes the cluster of this machine."
            )
        try:
            with socket.create_connection((host, port), timeout=_PATIENCE_S) as there:
                speaks = _speaks_http2(there)
        except OSError as error:
            raise ConfigError(_unanswered(address, f"{error.strerror or error}")) from error
        if not speaks:
            # Such as the dashboard, or a port of another program.
            raise ConfigError(_unanswered(address, "what answers is another program"))


def _speaks_http2(there: socket.socket) -> bool:
    """Return whether the other end greets as a gRPC server does, with a frame of settings (RFC 9113, 3.4)."""
    if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
        return True
    no_settings = bytes((0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0))
    there.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + no_settings)
    head = b""
    while len(head) < len(no_settings) and (more := there.recv(len(no_settings) - len(head))):
        head += more
    return len(head) == len(no_settings) and head[3] == _SETTINGS


def _check_same(ray: Any, address: str | None) -> None:
    """Refuse an address when this process is connected to another cluster."""
    connected = ray.get_runtime_context().gcs_address
    if address not in (None, "auto", connected) and not str(address).startswith("ray://"):
        raise ConfigError(
            f"run(address={address!r}): this process is connected to the cluster at {connected!r} already. "
            "Call ray.shutdown() first, or leave address out."
        )


def _token_hint(address: str | None) -> str:
    """Return what may be missing where a server answered and Ray could not connect: Ray does not say that itself."""
    if address is None or os.environ.get("RAY_AUTH_MODE", "").lower() == "token":
        return ""
    return (
        ". Something answers there. If the cluster asks for a token, set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or "
        "RAY_AUTH_TOKEN_PATH, before Python starts"
    )


def _unanswered(address: str | None, reason: str) -> str:
    return (
        f"run(engine='ray', address={address!r}): no Ray cluster answers there ({reason}). Start one with "
        "`ray start --head --port=6379`, pass the address of one that runs, or leave address out for a local one."
    )
