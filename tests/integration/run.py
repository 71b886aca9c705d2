"""A replay under way: what went in, what came out, and when it is complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from schemas import topics
from tests.auditor import trace, usage
from tests.integration import ledger, replay, settled
from tests.integration.fleet import Fleet

TENANT = "acme"
OPEN_S = 60


def catalog_and_subscriptions(start: int) -> list[dict[str, object]]:
    """The commands that put the auditor's catalog in force and subscribe every account from the year's start."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    year = datetime.fromtimestamp(start // 1_000_000, UTC).year
    apply: dict[str, object] = {
        "id": "catalog",
        "tenant": TENANT,
        "type": "apply_catalog",
        "time": now,
        "catalog": usage.CATALOG,
    }
    subscribe: list[dict[str, object]] = [
        {
            "id": f"subscribe-{account}",
            "tenant": TENANT,
            "account": account,
            "type": "subscribe",
            "time": now,
            "subscription": "main",
            "plan": usage.plan_of(account),
            "start": f"{year}-01-01T00:00:00Z",
        }
        for account in usage.accounts()
    ]
    grant: list[dict[str, object]] = [
        {
            "id": f"grant-{account}",
            "tenant": TENANT,
            "account": account,
            "type": "grant_credits",
            "time": now,
            "grant": "welcome",
            "amount": usage.GRANT,
            "unit": "USD",
            "effective_from": f"{year}-01-01T00:00:00Z",
        }
        for account in usage.accounts()
        if usage.plan_of(account) == "pro"
    ]
    return [apply, *subscribe, *grant]


class Run:
    """One replay: what went in, what came out, and when it is complete."""

    def __init__(self, fleet: Fleet, rows: list[trace.Row], seed: int) -> None:
        self.fleet = fleet
        self.start = replay.noon_two_days_ago(datetime.now(UTC))
        self.feed = replay.feed(rows, self.start, seed)
        self.want = usage.owed(rows)
        self.quantities = dict(usage.quantities(rows))
        self.crossed = usage.crossed(rows)
        self.access = usage.access(rows)
        self.malformed = 0
        self.charges = ledger.Reader(fleet.servers, fleet.topic(topics.CHARGES))
        self.rejected = ledger.Reader(fleet.servers, fleet.topic(topics.REJECTED))
        self.told = {
            topic: ledger.Reader(fleet.servers, fleet.topic(topic))
            for topic in (topics.THRESHOLDS, topics.ENTITLEMENTS, topics.LEDGER)
        }

    def open_accounts(self) -> None:
        """Put the catalog in force and subscribe every account; usage that came before has no meter."""
        commands = catalog_and_subscriptions(self.start)
        self.fleet.command(commands)
        self.fleet.start("first", "worker", extra={"AZOTTE_STAGES": "control"})

        def done() -> bool:
            return self.fleet.done_with("azotte-control", topics.COMMANDS) == len(commands)

        ledger.until(done, OPEN_S, "the commands", self.fleet.logs)
        self.fleet.end("first")

    def publish(self, messages: Sequence[replay.Message]) -> None:
        """Send these and wait until the broker has them."""
        self.malformed += sum(replay.is_malformed(message) for message in messages)
        replay.publish(self.fleet.servers, self.fleet.topic(topics.EVENTS), messages)

    def differences(self) -> dict[tuple[str, str], object]:
        """Where the bill and the auditor differ by now."""
        return dict(ledger.differences(self.want, ledger.billed(ledger.lines(self.charges))))

    def drain(self, seconds: float) -> None:
        """Wait until all that was published is rated."""
        settled.drain(self.fleet, seconds, self._state)

    def read(self) -> None:
        """Read every line and every rejection, when what killed workers left open is aborted."""
        readers = {topics.CHARGES: self.charges, topics.REJECTED: self.rejected, **self.told}
        settled.read_all(self.fleet, readers, self._state)

    def wait_for_a_line(self) -> None:
        """Wait until a line more than now has come."""
        before = len(self.charges.records)

        def came() -> bool:
            self.charges.poll()
            return len(self.charges.records) > before

        ledger.until(came, 90, "a line", self.fleet.logs)

    def settle(self, seconds: float) -> None:
        """Wait until all is rated, then check everything that a consumer may rely on."""
        self.drain(seconds)
        self.read()
        self.check()

    def check(self) -> None:
        """The auditor's totals to the last digit, no line twice, no gap, and what was malformed rejected, no more; each threshold
        told once, access as it is, grants burnt to the last digit."""
        assert not self.differences(), self._state()
        assert ledger.faults(ledger.lines(self.charges)) == []
        codes = [headers["error"].decode() for _, _, headers in self.rejected.records]
        assert len(codes) == self.malformed, sorted(codes)
        self._check_limits()

    def _check_limits(self) -> None:
        thresholds, entitlements, entries = (ledger.lines(reader) for reader in self.told.values())
        assert ledger.crossings(thresholds) == self.crossed
        assert len({each["id"] for each in thresholds}) == len(thresholds)
        last = {each["account"]: each for each in entitlements}
        fields = ("access", "reason", "used", "balance")
        used = {
            name: tuple(last[name][field] for field in fields) for name in last if last[name]["used"] != "0"
        }
        assert used == self.access
        assert ledger.balance_faults(entries) == []
        assert ledger.burnt(entries) == ledger.paid(ledger.lines(self.charges))

    def settle_in_clickhouse(self, seconds: float) -> None:
        """Wait until ClickHouse has every line of the topic, once, and every event that was counted."""

        def there() -> bool:
            return in_clickhouse(self.fleet) == on_topic(self)

        ledger.until(there, seconds, "every line in ClickHouse", self._state)
        ledger.until(
            lambda: counted_in_clickhouse(self.fleet) == self.quantities,
            seconds,
            "what the trace holds in ClickHouse",
            lambda: f"{counted_in_clickhouse(self.fleet)} {self.quantities}",
        )

    def _state(self) -> str:
        off = list(self.differences().items())[:5]
        return f"{len(self.rejected.records)}/{self.malformed} rejected, off: {off}\n{self.fleet.logs()}"


def in_clickhouse(fleet: Fleet) -> dict[str, str]:
    """Each line's id and amount, as an analyst sees it; an id twice fails."""
    rows = _asked(fleet, "SELECT id, toString(amount) FROM charges")
    assert len({row[0] for row in rows}) == len(rows), "a line stands twice in ClickHouse"
    return {row[0]: row[1] for row in rows}


FIELDS = {"requests": "rows", "input": "context_tokens", "output": "generated_tokens"}


def counted_in_clickhouse(fleet: Fleet) -> dict[str, int]:
    """What was counted, by `<model>.<field>` as the auditor's `quantities` has it, from the rows of usage."""
    model = "dimensions['model']"
    query = f"SELECT {model}, meter, sum(value * sign) FROM usage_events GROUP BY {model}, meter"
    return {f"{row[0]}.{FIELDS[row[1]]}": int(row[2]) for row in _asked(fleet, query) if row[1] in FIELDS}


def _asked(fleet: Fleet, query: str) -> Sequence[Sequence[Any]]:
    """The rows of an answer; none where the tables are not there yet."""
    assert fleet.clickhouse is not None
    try:
        with clickhouse_connect.get_client(dsn=fleet.clickhouse) as client:
            rows: Sequence[Sequence[Any]] = client.query(query).result_rows
    except ClickHouseError:
        return []
    return rows


def on_topic(run: Run) -> dict[str, str]:
    """Each line's id and amount, as published."""
    return {line["id"]: line["amount"] for line in ledger.lines(run.charges)}
