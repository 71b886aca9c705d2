"""Metrics are named as Prometheus' conventions ask: a prefix, base units, counters that end in total."""

from __future__ import annotations

import re

import pytest
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric

from streams import metrics

OURS = {metric.name: metric for metric in REGISTRY.collect() if metric.name.startswith("azotte_")}
DECLARED = [each for each in vars(metrics).values() if isinstance(each, Counter | Gauge | Histogram)]
UNITS = (
    "_seconds",
    "_records",
    "_cells",
    "_accounts",
    "_rows",
    "_bytes",
    "_webhooks",
    "_ids",
    "_reservations",
)


def test_every_metric_is_of_this_module() -> None:
    assert len(OURS) == len(DECLARED)
    assert all(metric.documentation.endswith(".") for metric in OURS.values())


@pytest.mark.parametrize("metric", OURS.values(), ids=lambda metric: metric.name)
def test_a_name_keeps_the_conventions(metric: Metric) -> None:
    assert re.fullmatch(r"azotte_[a-z]+(_[a-z]+)*", metric.name)
    samples = {sample.name for sample in metric.samples}
    if metric.type == "counter":
        assert all(name.endswith(("_total", "_created")) for name in samples)
    else:
        assert metric.name.endswith(UNITS)
        assert not metric.name.endswith("_total")
    assert not re.search(r"_(ms|millis|micros|minutes|percent|count|sum)$", metric.name)


def test_what_the_page_must_tell() -> None:
    assert {
        "azotte_log_clock_lag_seconds", "azotte_event_to_charge_seconds", "azotte_batch_records", "azotte_events",
        "azotte_transaction_seconds", "azotte_state_cells", "azotte_ids", "azotte_parked_accounts", "azotte_rejected",
    } <= set(OURS)  # fmt: skip


def test_a_latency_of_a_second_is_told_from_more() -> None:
    (latency,) = metrics.LATENCY.collect()
    bounds = {sample.labels["le"] for sample in latency.samples if sample.name.endswith("_bucket")}
    assert {"0.5", "1.0", "+Inf"} <= bounds
