"""Metrics for Prometheus: requests by bundle and outcome, seconds, and the length of the queue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, final

from cardioflow.core.optional import needed

__all__ = ["Metrics"]


@final
class Metrics:
    """Counters of one server; they hold no name of a file and nothing of a record."""

    def __init__(self, *, admitted: Callable[[], int], arriving: Callable[[], int]) -> None:
        client: Any = needed("prometheus_client", extra="serve")
        self._client = client
        self._registry = client.CollectorRegistry()
        self._requests = client.Counter(
            "cardioflow_requests", "Requests by bundle and HTTP status.", ["bundle", "status"], registry=self._registry
        )
        self._answers = client.Counter(
            "cardioflow_answers", "Records by bundle and outcome.", ["bundle", "outcome"], registry=self._registry
        )
        self._seconds = client.Histogram(
            "cardioflow_seconds", "Seconds from request to answer.", ["bundle"], registry=self._registry
        )
        for name, text, count in (
            ("cardioflow_admitted", "Requests that wait or are worked on.", admitted),
            ("cardioflow_arriving", "Uploads that have not arrived completely.", arriving),
        ):
            client.Gauge(name, text, registry=self._registry).set_function(count)

    def request(self, bundle: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(bundle, str(status)).inc()
        self._seconds.labels(bundle).observe(seconds)

    def answer(self, bundle: str, outcome: str) -> None:
        """Count a record that was judged, or not."""
        self._answers.labels(bundle, outcome).inc()

    def text(self) -> tuple[bytes, str]:
        """Return the metrics and their content type."""
        return self._client.generate_latest(self._registry), self._client.CONTENT_TYPE_LATEST
