"""An hour of a trace as a deployment lives it: over the turn of a year, with everything that goes wrong.

Events come late, twice, garbled and after their period's close; some are taken back or amended; some accounts leave in
between. `World` is seeded and pure: what goes in, in order, and what the auditor says must come out.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from rating.times import DAY, HOUR, MINUTE, format_time, parse_time
from tests.auditor import usage
from tests.auditor.trace import Row, rows
from tests.integration import replay

Doc = dict[str, Any]
TENANT = "acme"
TURN = parse_time("2026-01-01T00:00:00Z")
START = TURN - HOUR // 2
CLOSED = TURN + 2 * HOUR
END = TURN + 60 * DAY
"""By then what waits for a subscription is rejected, and nothing of the trace is accepted any more."""
THINNED = 29
"""Of the trace, the rows whose index is a multiple."""
LEAVERS = 9
RETRACTED = 24
AMENDED = 24


class Input(NamedTuple):
    """One input and when it comes, in microseconds."""

    at: int
    is_command: bool
    value: bytes


class World:
    """Everything that happens under one seed."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)
        self.rows = [row for row in rows() if row.index % THINNED == 0]
        feed = replay.feed(self.rows, START, seed)
        self.malformed = feed.malformed
        self.left = self._leavers()
        self.copies = Counter(name for name in map(_id_of, (m.value for m in feed.messages)) if name)
        events = [Input(self._delayed(m.arrival), False, m.value) for m in feed.messages]
        self.corrected = self._corrections()
        self._inputs = [*events, *self._cancellations(), *self._correcting(events)]

    def inputs(self) -> Iterator[Input]:
        """Subscriptions first, then everything in the order of arrival."""
        for account in usage.accounts():
            fields = {"subscription": "main", "plan": usage.plan_of(account), "start": "2025-01-01T00:00:00Z"}
            yield Input(START, True, _command(f"subscribe-{account}", account, "subscribe", START, **fields))
        yield from sorted(self._inputs, key=lambda each: each.at)

    def counted(self) -> list[Row]:
        """The rows as they count in the end: of before their account left, as corrected."""
        kept = [row for row in self.rows if START + row.at < self.left.get(row.account, END)]
        found = (self.corrected.get(row.id, row) for row in kept)
        return [row for row in found if row is not None]

    def unrated(self) -> int:
        """How many rows come of a time at which their account has left, and stay."""
        gone = [row for row in self.rows if START + row.at >= self.left.get(row.account, END)]
        return sum(self.corrected.get(row.id, row) is not None for row in gone)

    def owed(self) -> dict[tuple[str, str], Fraction]:
        """The auditor's totals of both years."""
        sums: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for old in (True, False):
            year = [row for row in self.counted() if (START + row.at < TURN) == old]
            for account in {row.account for row in year}:
                mine = [row for row in year if row.account == account]
                for place, amount in usage.owed(mine).items():
                    if place[0] == account:
                        sums[place] += amount
        return dict(sums)

    def _leavers(self) -> dict[str, int]:
        found = self._draw.sample(usage.accounts(), LEAVERS)
        return {account: START + self._draw.randrange(5, 55) * MINUTE for account in found}

    def _cancellations(self) -> Iterator[Input]:
        for account, at in self.left.items():
            value = _command(f"leave-{account}", account, "cancel", at, subscription="main", at_="now")
            yield Input(at, True, value)

    def _delayed(self, arrival: int) -> int:
        """Every thirtieth comes only after the old year is closed."""
        return CLOSED + self._draw.randrange(HOUR) if self._draw.random() < 1 / 30 else arrival

    def _corrections(self) -> dict[str, Row | None]:
        """Rows as they are corrected to: `None` is taken back. What is amended has come once only."""
        once = [row for row in self.rows if self.copies[row.id] == 1]
        taken = self._draw.sample(once, RETRACTED + AMENDED)
        found: dict[str, Row | None] = {row.id: None for row in taken[:RETRACTED]}
        for row in taken[RETRACTED:]:
            found[row.id] = replace(
                row, context=self._draw.randrange(4_000), generated=self._draw.randrange(400)
            )
        return found

    def _correcting(self, events: Iterable[Input]) -> Iterator[Input]:
        came = {_id_of(each.value): each.at for each in events}
        for row in self.rows:
            if row.id not in self.corrected:
                continue
            at = came[row.id] + self._draw.choice((MINUTE, 3 * HOUR))
            now = self.corrected[row.id]
            fields: Doc = {
                "source": f"gateway-{row.file}",
                "event_id": row.id,
                "was": replay.event(row, START),
            }
            kind = "retract_usage" if now is None else "amend_usage"
            if now is not None:
                fields["now"] = replay.event(now, START)
            yield Input(at, True, _command(f"correct-{row.id}", row.account, kind, at, **fields))


def _id_of(value: bytes) -> str | None:
    """The id of an event of the trace; none of what is garbled."""
    try:
        name = str(json.loads(value)["id"])
    except ValueError:
        return None
    return None if name.startswith("bad-") else name


def _command(name: str, account: str, kind: str, time: int, at_: str | None = None, **fields: Any) -> bytes:
    found = {
        "id": name,
        "tenant": TENANT,
        "account": account,
        "type": kind,
        "time": format_time(time),
        **fields,
    }
    return json.dumps(found | ({"at": at_} if at_ else {})).encode()
