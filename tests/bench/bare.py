"""(a) Bare `consume()`: what the broker and the client can do when nothing is done with an event.

`python -m tests.bench.bare SERVERS TOPIC COUNT` prints a `Result` as JSON.
"""

from __future__ import annotations

import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer

from tests.bench.contender import done
from tests.bench.load import everywhere


def main(servers: str, topic: str, count: int) -> None:
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "bench-bare",
            "enable.auto.commit": False,
            "fetch.queue.backoff.ms": 2,
            "queued.max.messages.kbytes": 65536,
        }
    )
    consumer.assign(everywhere(topic, OFFSET_BEGINNING))
    seen, size, started = 0, 0, 0.0
    while seen < count:
        messages = consumer.consume(20_000, 0.2)
        if messages and not started:
            started = time.perf_counter()
        size += sum(len(message.value() or b"") for message in messages)
        seen += len(messages)
    done("bare consume()", seen, time.perf_counter() - started, 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
