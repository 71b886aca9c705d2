"""A small account's life through the whole kernel: commands and usage in a few words, charge lines and ledger out.

    life = Life([plan("pro", charges=[charge(included="100")])])
    life.subscribe("pro", "2026-03-01")
    life.use(150, "2026-03-05T10")
    life.until("2026-03-06")
    assert life.sum(charge="input") == Decimal("0.5")

Times may be cut short (`2026-03-05T10`); they are UTC.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from rating.times import parse_time
from schemas.catalog import check_catalog
from streams.simulate import Shown, Simulation

Doc = dict[str, Any]
TOKENS: Doc = {"key": "tokens", "event_type": "use", "aggregation": "sum", "value": "$.value", "unit": "unit",
               "window": "1h"}  # fmt: skip

OUTER = ("source", "backfill", "subject", "account", "subscription")
"""Attributes of an event beside its data."""


def full(time: str) -> str:
    """A time that is cut short, whole."""
    return time + "0000-01-01T00:00:00Z"[len(time) :]


def plan(key: str, **fields: Any) -> Doc:
    """A plan by the month, in dollars."""
    return {"key": key, "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD",
            "period": "month", **fields}  # fmt: skip


def charge(unit_amount: str = "1", **fields: Any) -> Doc:
    """The charge `input` on tokens, so much a unit."""
    return {
        "key": "input",
        "meter": "tokens",
        "price": {"model": "per_unit", "unit_amount": unit_amount},
        **fields,
    }


class Life:
    """One account, `cust-1`, and all that came out."""

    def __init__(
        self,
        plans: Iterable[Doc],
        meters: Iterable[Doc] = (TOKENS,),
        accept_past: int | None = None,
        **sections: Any,
    ):
        """`sections` are others of the catalog."""
        checked = check_catalog({"meters": list(meters), "plans": list(plans), **sections})
        assert checked.doc is not None, checked.problems
        more: dict[str, Any] = {} if accept_past is None else {"accept_past": accept_past}
        self.simulation = Simulation(checked.doc, **more)
        self.shown: list[Shown] = []
        self._number = 0

    def command(self, kind: str, time: str, **fields: Any) -> None:
        """A command of `cust-1`, unless it names another account."""
        self._number += 1
        found = {"id": f"cmd-{self._number}", "tenant": "acme", "account": "cust-1", "type": kind,
                 "time": full(time), **fields}  # fmt: skip
        self.shown += self.simulation.take(json.dumps(found).encode(), True)
        assert not self.simulation.parked, dict(self.simulation.parked)

    def subscribe(self, plan: str, start: str, subscription: str = "sub-1", **fields: Any) -> None:
        """A subscription from `start` on."""
        self.command("subscribe", start, subscription=subscription, plan=plan, start=full(start), **fields)

    def change(self, kind: str, time: str, at: str = "now", came: str | None = None, **fields: Any) -> None:
        """A change of `sub-1` as of `time`; it comes when the clock says `came`, where that is later."""
        if came is not None:
            self.until(came)
        self.command(kind, time, subscription="sub-1", at=at, **fields)

    def use(
        self,
        value: object,
        time: str,
        came: str | None = None,
        kind: str = "use",
        name: str | None = None,
        **fields: Any,
    ) -> None:
        """Usage of `time`; its data has `value`, and `fields` but for those of `OUTER`."""
        if came is not None:
            self.until(came)
        self._number += 1
        outer: Doc = {each: fields.pop(each) for each in OUTER if each in fields}
        data = fields if value is None else {"value": value, **fields}
        found: Doc = {"specversion": "1.0", "id": name or f"ev-{self._number}", "source": "src", "type": kind,
                 "tenant": "acme", "subject": "cust-1", "time": full(time), "data": data, **outer}  # fmt: skip
        self.shown += self.simulation.take(json.dumps(found).encode(), False)
        assert not self.simulation.parked, dict(self.simulation.parked)

    def retract(
        self, name: str, value: object, time: str, came: str, account: str = "cust-1", **fields: Any
    ) -> None:
        """Take back what `use` sent under an id, the account its subject."""
        was = {"specversion": "1.0", "id": name, "source": "src", "type": "use", "tenant": "acme",
               "subject": account, "time": full(time), "data": {"value": value, **fields}}  # fmt: skip
        self.command("retract_usage", came, account=account, source="src", event_id=name, was=was)

    def amend(self, name: str, time: str, came: str, now: Doc, value: object, **fields: Any) -> None:
        """Amend what `use` sent under an id: `now` has its new `time` and data."""
        was: Doc = {"specversion": "1.0", "id": name, "source": "src", "type": "use", "tenant": "acme",
               "subject": "cust-1", "time": full(time), "data": {"value": value, **fields}}  # fmt: skip
        after = {**was, "time": full(now.get("time", time)), "data": {**was["data"], **now.get("data", {})}}
        self.command("amend_usage", came, source="src", event_id=name, was=was, now=after)

    def until(self, time: str) -> None:
        """Let the clock go on."""
        self.shown += self.simulation.advance(parse_time(full(time)))
        assert not self.simulation.parked, dict(self.simulation.parked)

    def records(self, topic: str, **where: Any) -> list[Doc]:
        """What came on a topic with these fields."""
        found = [
            json.loads(each.value) for each in self.shown if each.topic == topic and each.value is not None
        ]
        return [each for each in found if all(each.get(name) == value for name, value in where.items())]

    def lines(self, **where: Any) -> list[Doc]:
        """Charge lines but for close lines, unless they are asked for."""
        found = self.records("billing.charges.v1", **where)
        return [each for each in found if "kind" in where or each["kind"] != "close"]

    def sum(self, field: str = "amount", **where: Any) -> Decimal:
        """What a field of these lines sums to."""
        return sum((Decimal(each[field]) for each in self.lines(**where)), Decimal(0))

    def ledger(self, **where: Any) -> list[tuple[str, str, str]]:
        """Ledger entries: what, how much, what is left of the grant."""
        found = self.records("billing.ledger.v1", **where)
        return [(each["entry"], each["amount"], each["balance"]) for each in found]

    def refusals(self) -> list[str]:
        """Why something was rejected."""
        return [
            dict(each.headers)["error_detail"] for each in self.shown if each.topic == "usage.rejected.v1"
        ]

    def rejected(self) -> list[str]:
        """The codes of what was rejected."""
        return [dict(each.headers)["error"] for each in self.shown if each.topic == "usage.rejected.v1"]
