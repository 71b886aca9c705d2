"""(c) The same in Quix Streams, as its own guide would write it: a tumbling sum per account, every update produced.

`python -m tests.bench.quix SERVERS TOPIC COUNT` prints a `Result` as JSON.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import timedelta
from typing import Any

from quixstreams import Application

from tests.bench.contender import done


def main(servers: str, topic: str, count: int) -> None:
    app = Application(
        broker_address=servers,
        consumer_group=f"bench-quix-{topic}",
        auto_offset_reset="earliest",
        state_dir=tempfile.mkdtemp(prefix="bench-quix-"),
        loglevel="WARNING",
    )
    events = app.topic(topic, value_deserializer="json", key_deserializer="str")
    charges = app.topic(f"{topic}-charges", value_serializer="json", key_serializer="str")
    seen, started = 0, 0.0

    def charge(window: dict[str, Any]) -> dict[str, Any]:
        nonlocal seen, started
        started = started or time.perf_counter()
        seen += 1
        if seen == count:
            done("Quix Streams", seen, time.perf_counter() - started, seen)
            sys.stdout.flush()
            os._exit(0)
        return {"hour": window["start"], "total": window["value"], "amount": str(window["value"] * 2)}

    frame = app.dataframe(events)
    frame = frame.apply(lambda event: event["data"]["input_tokens"])
    frame = frame.tumbling_window(timedelta(hours=1)).sum().current()
    frame = frame.apply(charge)
    frame.to_topic(charges)
    app.run()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
