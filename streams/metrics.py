"""What a worker tells of itself, by Prometheus' conventions; one function a fact."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)

EVENTS = Counter("azotte_events_total", "Usage events taken, by what became of them.", ["outcome"])
REJECTED = Counter("azotte_rejected_total", "Records that could not be used, by code.", ["code"])
BATCH = Histogram(
    "azotte_batch_records",
    "Records in one transaction.",
    ["stage"],
    buckets=(1, 10, 100, 1e3, 5e3, 1e4, 2e4, 5e4),
)
TRANSACTION = Histogram(
    "azotte_transaction_seconds",
    "From the begin of a transaction to its commit.",
    ["stage"],
    buckets=_SECONDS,
)
LATENCY = Histogram(
    "azotte_event_to_charge_seconds", "From an event's receipt to the commit of its rating.", buckets=_SECONDS
)
LINES = Counter("azotte_records_out_total", "Records published by rating, by topic.", ["topic"])
CLOCK_LAG = Gauge("azotte_log_clock_lag_seconds", "How far the log's clock is behind this machine's.")
CELLS = Gauge("azotte_state_cells", "Cells of state, by partition.", ["partition"])
IDS = Gauge("azotte_ids", "Ids of counted events that are held, about, by partition.", ["partition"])
PARKED = Gauge(
    "azotte_parked_accounts", "Accounts that an internal fault stopped, by partition.", ["partition"]
)
ABORTED = Counter("azotte_transactions_aborted_total", "Transactions that were aborted.", ["stage"])
ROWS = Counter("azotte_sink_rows_total", "Rows inserted into ClickHouse, by table.", ["table"])
RETRIES = Counter("azotte_sink_retries_total", "Inserts that were tried again.")
UNREADABLE = Counter("azotte_sink_unreadable_total", "Records that became rows of sink_errors.")
INSERT = Histogram("azotte_sink_insert_seconds", "Inserting the rows of one batch.", buckets=_SECONDS)
OF_PARTITION = (CELLS, IDS, PARKED)
SINK_DELAY = Gauge(
    "azotte_sink_delay_seconds", "From the writing of the last batch's oldest record to its insert."
)
GATEWAY_REQUESTS = Counter(
    "azotte_gateway_requests_total",
    "Requests answered, by method, route and status.",
    ["method", "route", "status"],
)
GATEWAY_SECONDS = Histogram(
    "azotte_gateway_request_seconds",
    "From a request to its answer, by route.",
    ["route"],
    buckets=(0.0005, 0.001, 0.002, *_SECONDS),
)
GATEWAY_EVENTS = Counter(
    "azotte_gateway_events_total", "Usage events that came, by what became of them.", ["outcome"]
)
WEBHOOKS = Counter(
    "azotte_webhooks_total",
    "Tries to deliver a webhook, by address and what came of it.",
    ["address", "outcome"],
)
WEBHOOK = Histogram(
    "azotte_webhook_seconds",
    "From sending a webhook to its answer, by address.",
    ["address"],
    buckets=_SECONDS,
)
WEBHOOKS_PENDING = Gauge(
    "azotte_pending_webhooks", "Webhooks that are not delivered yet, by address.", ["address"]
)
WEBHOOKS_UNREADABLE = Counter("azotte_webhooks_unreadable_total", "Records that no webhook could be made of.")
GATEWAY_RESERVATIONS = Gauge(
    "azotte_gateway_reservations", "Reservations that are kept, those that are over included."
)
