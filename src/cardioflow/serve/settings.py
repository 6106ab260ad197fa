"""What a server allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from cardioflow.errors import ConfigError

__all__ = ["ServerSettings"]


@final
@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """Limits of a server; the defaults suit a server for one department.

    Raises:
        ConfigError: for a limit that is not positive, or no bundle.
    """

    bundles: tuple[str, ...] = ("af", "beats", "waves", "quality")
    """Names of shipped bundles, or paths."""
    max_upload_mb: float = 50.0
    upload_timeout_s: float = 20.0
    """For the whole body of a request."""
    timeout_s: float = 30.0
    """For reading and predicting."""
    linger_s: float = 10.0
    """How long a refused upload is still read, so that its sender sees the reason; at most until it closes."""
    workers: int = 2
    """Records that are worked on at a time."""
    queue: int = 16
    """Requests that may wait for a worker; further ones are asked to try again later."""
    arriving: int = 32
    """Uploads that may arrive at a time; when there are more, the slowest is refused."""
    allow_identify: bool = False
    """Whether a request may ask for what identifies the patient, such as the name."""
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "::1")
    """The names under which the server may be called, so that a web page elsewhere cannot reach it by DNS."""

    def __post_init__(self) -> None:
        for name in ("max_upload_mb", "upload_timeout_s", "timeout_s", "linger_s", "workers", "arriving"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"ServerSettings({name}={getattr(self, name)!r}) is not above 0.")
        if self.queue < 0:
            raise ConfigError(f"ServerSettings(queue={self.queue!r}) is below 0.")
        if not self.bundles:
            raise ConfigError("ServerSettings(bundles=()) has no bundle. Pass the name of one, such as 'beats'.")
