"""What the process is doing, in Prometheus' text format."""

from typing import Any

from litestar import Request, Response, get
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from whatnext_service.api.problem import problems
from whatnext_service.flows.queue_depth import QueueDepth, queue_depth

MEDIA_TYPE = "text/plain; version=0.0.4"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Counts requests by the template of their path, so that neither ids nor tenants become names."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter(
            "whatnext_http_requests", "Requests answered.", (*labels, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "whatnext_http_request_duration_seconds",
            "Time to the end of the answer; waiting readers and streams included.",
            labels,
            buckets=SECONDS,
            registry=self._registry,
        )
        self._waiting = Gauge(
            "whatnext_waiting_readers", "Readers that wait for something to move.", registry=self._registry
        )
        self._connections = Gauge(
            "whatnext_database_connections", "Connections of the pool.", ("state",), registry=self._registry
        )
        self._jobs = Gauge(
            "whatnext_jobs",
            "Background jobs not ended, of the whole service.",
            ("task", "status"),
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)

    def observe(self, method: str, route: str, status: int, duration_s: float) -> None:
        """Count one answered request."""
        method = method if method in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(duration_s)

    def render(self, *, n_waiting: int, n_connections: int, n_idle: int, depth: tuple[QueueDepth, ...]) -> bytes:
        """Everything, as of now."""
        self._waiting.set(n_waiting)
        self._connections.labels("busy").set(n_connections - n_idle)
        self._connections.labels("idle").set(n_idle)
        self._jobs.clear()
        for each in depth:
            self._jobs.labels(each.task, each.status).set(each.n)
        return generate_latest(self._registry)


@get("/metrics", operation_id="service.metrics", tags=["service"], media_type="text/plain", responses=problems())
async def metrics(request: Request[Any, Any, Any]) -> Response[str]:
    """Get what the process is doing, in Prometheus' text format.

    Requests by route and status, durations, waiting readers, database connections and background jobs. Like every
    other route it needs a key; give Prometheus one with the scope `read` as its bearer token.
    """
    state = request.app.state
    pool = state.services.pool
    text = state.metrics.render(
        n_waiting=state.room.n_waiting,
        n_connections=pool.get_size(),
        n_idle=pool.get_idle_size(),
        depth=await queue_depth(state.services),
    )
    return Response(content=text, media_type=MEDIA_TYPE)


HANDLERS = (metrics,)
