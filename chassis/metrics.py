"""Every series of the chassis, with its meaning."""

from prometheus_client import Counter, Gauge, Histogram

RPC_SERVER_REQUESTS = Counter(
    "rpc_server_requests_total",
    "gRPC calls answered, by method and by the code of the answer.",
    ["method", "code"],
)
RPC_SERVER_SECONDS = Histogram(
    "rpc_server_seconds",
    "Time from the arrival of a gRPC call to its answer, in seconds.",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
RPC_CLIENT_REQUESTS = Counter(
    "rpc_client_requests_total",
    "gRPC calls made, by method and by the code of the answer.",
    ["method", "code"],
)
RPC_CLIENT_SECONDS = Histogram(
    "rpc_client_seconds",
    "Time from making a gRPC call to its answer, in seconds.",
    ["method"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
HTTP_SERVER_REQUESTS = Counter(
    "http_server_requests_total",
    "HTTP requests answered, by method, route and status; 499 for a client that left.",
    ["method", "route", "status"],
)
HTTP_SERVER_SECONDS = Histogram(
    "http_server_seconds",
    "Time from the arrival of an HTTP request to its answer, in seconds.",
    ["method", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
POOL_CONNECTIONS = Gauge(
    "postgres_pool_connections",
    "Connections of a pool, by state: idle, or in use.",
    ["pool", "state"],
)
LIMITS_LOCAL = Gauge(
    "limits_local",
    "1 while rates are kept by this process alone, for its own part, because Valkey is away.",
)
LIMITS_FALLBACKS = Counter(
    "limits_fallbacks_total",
    "How often Valkey did not answer and rates were kept by this process alone.",
)
