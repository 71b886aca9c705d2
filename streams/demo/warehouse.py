"""Whether ClickHouse has what the topics have: asked over its HTTP interface, as any client would."""

from __future__ import annotations

import base64
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from decimal import Decimal

from streams import clock
from streams.settings_clickhouse import ClickHouse

ANSWER_S = 10.0


def ask(server: ClickHouse, sql: str) -> list[list[str]]:
    """The rows of an answer, as text. Raises `OSError` where ClickHouse does not answer or refuses."""
    request = urllib.request.Request(
        f"{server.address}/?{urllib.parse.urlencode({'database': server.database})}", data=sql.encode()
    )
    login = f"{server.user}:{server.password}".encode()
    request.add_header("Authorization", "Basic " + base64.b64encode(login).decode())
    with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
        return [line.split("\t") for line in answer.read().decode().splitlines()]


def charged(server: ClickHouse, begin: Mapping[int, int], last: Mapping[int, int]) -> tuple[int, Decimal]:
    """How many charge lines ClickHouse has from these offsets up to those, both included, and their sum.

    The end counts: another run beside this one goes on, and so does the sink.
    """
    if not last:
        return 0, Decimal(0)
    within = " OR ".join(
        f"(_partition = {partition} AND _offset BETWEEN {begin[partition]} AND {end})"
        for partition, end in last.items()
    )
    ((count, amount),) = ask(server, f"SELECT count(), sum(amount) FROM charges WHERE {within}")
    return int(count), Decimal(amount)


def wait_until_caught_up(
    server: ClickHouse, last: Mapping[int, int], patience_s: float, alive: Callable[[], None]
) -> bool:
    """Wait until ClickHouse has the charge lines up to these offsets; `alive` raises where waiting is in vain."""
    end = clock.monotonic() + patience_s
    while clock.monotonic() < end:
        alive()
        try:
            rows = ask(server, "SELECT _partition, max(_offset) FROM charges GROUP BY _partition")
        except (urllib.error.URLError, OSError):
            rows = []
        have = {int(partition): int(offset) for partition, offset in rows}
        if all(have.get(partition, -1) >= offset for partition, offset in last.items()):
            return True
        time.sleep(0.2)
    return False
