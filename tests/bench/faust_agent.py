"""(b) A plain Faust agent, as Faust's own guide would write it: parse, sum per account and hour, produce a charge.

Run as `faust -A tests.bench.faust_agent worker` with BENCH_SERVERS, BENCH_TOPIC, BENCH_COUNT in the environment.
It ends by itself when it has seen BENCH_COUNT events, and prints a `Result` as JSON.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

import faust

from tests.bench.contender import done

COUNT = int(os.environ.get("BENCH_COUNT", "0"))
TOPIC = os.environ.get("BENCH_TOPIC", "bench")

app = faust.App(
    f"bench-faust-{TOPIC}",
    broker=f"kafka://{os.environ.get('BENCH_SERVERS', 'localhost:9092')}",
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
)
events = app.topic(TOPIC, value_serializer="json")
charges = app.topic(f"{TOPIC}-charges", value_serializer="json", key_serializer="raw")
totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)


@app.agent(events, name="rate")
async def rate(stream: Any) -> None:
    """One event in, one charge out."""
    seen, started = 0, 0.0
    async for event in stream:
        started = started or time.perf_counter()
        hour = datetime.fromisoformat(event["time"]).replace(minute=0, second=0, microsecond=0).isoformat()
        account = event["subject"]
        quantity = Decimal(event["data"]["input_tokens"])
        totals[account, hour] += quantity
        charge = {
            "account": account,
            "hour": hour,
            "quantity": str(quantity),
            "amount": str(quantity * Decimal("0.000002")),
            "total": str(totals[account, hour]),
        }
        await charges.send(key=account.encode(), value=charge)
        seen += 1
        if seen == COUNT:
            done("plain Faust agent", seen, time.perf_counter() - started, seen)
            os._exit(0)
