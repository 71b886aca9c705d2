"""Histories of accounts drawn at random: a catalog, then commands and events in the order of the log.

`history(seed, features)` is the same for the same arguments. Features are drawn from where the set names them, so that a
run can leave out what it does not ask about. Times like the edges: periods' ends, clock changes, equal instants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.auditor.lifecycle.calendar import period_at
from tests.auditor.lifecycle.words import DAY, HOUR, Doc, moment, shown
from tests.auditor.lifecycle_catalogs import Features, catalog

BASES = ("2026-01-30T22:00:00Z", "2028-02-28T20:00:00Z", "2026-03-27T12:00:00Z", "2026-10-23T12:00:00Z",
         "2026-03-06T12:00:00Z", "2026-10-30T12:00:00Z", "2027-12-30T00:00:00Z", "2026-05-15T00:00:00Z")  # fmt: skip
"""Beginnings near a month's end, a leap day, the clock changes of Berlin and New York, a year's end; and one by day."""
ZONES = ("UTC", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
SPANS = {"day": 5, "week": 20, "month": 75, "quarter": 120, "year": 400}
"""Days that a history runs for, by the period of its first plan."""


@dataclass(frozen=True)
class History:
    """What `simulate` is given."""

    seed: int
    catalog: Doc
    inputs: list[Doc]
    until: int


@dataclass
class _Draft:
    random: Random
    features: Features
    catalog: Doc
    begin: int
    end: int
    clock: int = 0
    inputs: list[Doc] = field(default_factory=list)
    events: list[Doc] = field(default_factory=list)
    subs: dict[tuple[str, str], Doc] = field(default_factory=dict)
    edges: list[int] = field(default_factory=list)
    latest: list[int] = field(default_factory=list)
    acted: list[int] = field(default_factory=list)
    fixed: set[str] = field(default_factory=set)
    grants: list[tuple[str, str]] = field(default_factory=list)

    def chance(self, feature: str, share: float) -> bool:
        return feature in self.features and self.random.random() < share

    def command(self, account: str, kind: str, **fields: object) -> Doc:
        doc = {"id": f"c{len(self.inputs)}", "tenant": "acme", "account": account, "type": kind,
               "time": shown(self.clock), **fields}  # fmt: skip
        self.inputs.append({"command": doc})
        return doc


def history(seed: int, features: Features) -> History:
    """One history of up to three accounts."""
    random = Random(seed)
    offered = catalog(random, features)
    begin = moment(random.choice(BASES))
    end = begin + SPANS[offered["plans"][0]["period"]] * DAY
    draft = _Draft(random, features, offered, begin, end, begin)
    _date_versions(draft)
    count = random.choice((6, 15, 40))
    times = sorted(random.randrange(begin, end) for _ in range(count))
    for account in ("ann", "bob", "cyd")[: random.randrange(1, 4)]:
        if random.random() < 0.2:
            _event(draft, account)
        _subscribe(draft, account, "main")
    for at in times:
        draft.clock = max(draft.clock, _edgy(draft, at))
        _step(draft)
    return History(seed, offered, draft.inputs, max(draft.clock, end) + random.choice((0, 40 * DAY)) + 1)


def _edgy(draft: _Draft, at: int) -> int:
    """A time, or an edge near it, or a moment beside one, or the same as the last."""
    pick = draft.random.random()
    if pick < 0.6 or not draft.edges:
        return at
    if pick < 0.7:
        return draft.clock
    edge = min(draft.edges, key=lambda each: abs(each - at))
    return edge + draft.random.choice((0, 0, -1, 1, HOUR, 3 * HOUR))


def _date_versions(draft: _Draft) -> None:
    for plan in draft.catalog["plans"]:
        if plan["period"] == "week":
            plan["fees"] = [fee for fee in plan.get("fees", []) if fee["key"] != "yearly"]
        if plan["version"] > 1:
            at = draft.random.randrange(draft.begin, draft.end)
            plan["effective_from"] = shown(at)
            if plan["existing"] == "time":
                plan["existing"] = shown(at + draft.random.randrange(0, 20 * DAY))


def _subscribe(draft: _Draft, account: str, key: str) -> None:
    random = draft.random
    plan = draft.catalog["plans"][0] if key == "main" else random.choice(draft.catalog["plans"])
    start = draft.clock + (
        random.choice((0, 0, -HOUR, 2 * DAY, -DAY)) if key == "main" else random.choice((1, DAY))
    )
    zone = random.choice(ZONES)
    doc = draft.command(account, "subscribe", subscription=key, plan=plan["key"], start=shown(start))
    doc["timezone"] = zone
    anchor = random.choice((None, None, "start", "31", "trial_end" if "trial" in plan else None))
    if anchor == "31":
        anchor = shown(start - random.choice((0, 1, 40)) * DAY - random.randrange(DAY))
    if anchor:
        doc["anchor"] = anchor
    if draft.chance("overrides", 0.5):
        doc["storefront"] = "shop"
    if draft.chance("quantities", 0.3):
        doc["quantities"] = {"seats": "4"}
    draft.subs[account, key] = {
        "start": start,
        "over": False,
        "paused": False,
        "tried": "trial" in plan,
        "waits": False,
        "plan": plan["key"],
    }
    counted = {None: None, "start": start, "trial_end": None}.get(anchor, -1)
    draft.edges.append(start)
    at = start
    while at < draft.end + 40 * DAY and len(draft.edges) < 200:
        at = period_at(plan["period"], zone, moment(doc["anchor"]) if counted == -1 else counted, at)[1]
        draft.edges.append(at)


def _step(draft: _Draft) -> None:
    """One more input: mostly usage."""
    random = draft.random
    account = random.choice(sorted({name for name, _ in draft.subs}))
    pick = random.random()
    if draft.chance("grants", 0.08) and len({plan["grace"] for plan in draft.catalog["plans"]}) == 1:
        return _grant(draft, account)
    if pick < 0.6 or not draft.events:
        return _event(draft, account)
    if pick < 0.75:
        chosen: Callable[[_Draft, str], None] = random.choice((_again, _correct))
        return chosen(draft, account)
    if draft.chance("multi", 0.2) and (account, "more") not in draft.subs:
        return _subscribe(draft, account, "more")
    return _change(draft, account)


def _event(draft: _Draft, account: str) -> None:
    random = draft.random
    delay = random.choice((0, 0, 0, HOUR // 2, random.randrange(DAY), random.randrange(36 * DAY)))
    at = draft.clock - (delay if "late" in draft.features else 0)
    if random.random() < 0.15 and draft.edges:
        near = min(draft.edges, key=lambda edge: abs(edge - at))
        at = near if draft.clock - 30 * DAY < near <= draft.clock else at
    data: Doc = {"value": _value(random), "model": random.choice("abc"), "where": {"region": random.choice(("eu", "us"))},
                 "amount": random.choice(("1", "2.5", "0.001")), "prompt": random.choice(("3", "10", "50.5", "300")),
                 "ticket": f"t{random.randrange(4)}", "unit": random.choice(("s", "min", "ms")),
                 "status": random.choice(("ok", "bad"))}  # fmt: skip
    if draft.chance("bad", 0.03):
        data["value"] = random.choice(("x", "0.0000000000001"))
    kinds = ("use", "call", "done") if "outcome" in draft.features else ("use", "call")
    doc = {"specversion": "1.0", "id": f"e{len(draft.inputs)}", "source": "test", "type": random.choice(kinds),
           "tenant": "acme", "subject": account, "time": shown(at), "data": data}  # fmt: skip
    if draft.chance("multi", 0.1) and doc["type"] != "done":
        doc["subscription"] = random.choice(("main", "more"))
    draft.inputs.append({"event": doc})
    draft.events.append(doc)
    draft.latest.append(at)


def _value(random: Random) -> str:
    return random.choice(("5", "10", "15", "50.5", "100", "0", "0.001", "7.25", str(random.randrange(60))))


def _again(draft: _Draft, _account: str) -> None:
    if not draft.chance("duplicates", 1):
        return
    event = draft.random.choice(draft.events)
    if draft.random.random() < 0.3 and event["id"] not in draft.fixed:
        event = {**event, "data": {**event["data"], "value": "99"}}
    draft.inputs.append({"event": event})


def _correct(draft: _Draft, _account: str) -> None:
    """A correction; the same again is sent too, under an id of its own. An event has one correction at most."""
    random = draft.random
    event = random.choice(draft.events)
    if not draft.chance("corrections", 1) or event["id"] in draft.fixed:
        return
    draft.fixed.add(event["id"])
    told: Doc = {"source": "test", "event_id": event["id"], "was": event}
    if random.random() < 0.1:
        told["was"] = {**event, "type": "else"}
    kind = "retract_usage"
    if random.random() < 0.5:
        kind, time = "amend_usage", moment(event["time"]) + random.choice((0, 0, HOUR, -HOUR, -3 * DAY))
        told["now"] = {**event, "time": shown(min(time, draft.clock)),
                       "data": {**event["data"], "value": _value(random), "model": random.choice("abc")}}  # fmt: skip
    for _ in range(random.choice((1, 1, 2))):
        draft.command(event["subject"], kind, **told)


def _grant(draft: _Draft, account: str) -> None:
    """Credits: one more grant, or all or a part of one taken back."""
    random = draft.random
    if draft.grants and random.random() < 0.2:
        owner, key = random.choice(draft.grants)
        draft.command(owner, "void_grant", grant=key, **({"amount": "5"} if random.random() < 0.5 else {}))
        return
    told: Doc = {
        "grant": f"g{len(draft.grants)}",
        "amount": random.choice(("20", "100.5", "1000")),
        "unit": "USD",
    }
    if draft.chance("units", 0.5):
        told["unit"] = "credit"
    if random.random() < 0.5:
        told["priority"] = random.choice((1, 50, 60))
    if random.random() < 0.5:
        told["expires_at"] = shown(draft.clock + random.choice((DAY, 10 * DAY, 40 * DAY)))
    if random.random() < 0.2:
        told["effective_from"] = shown(draft.clock + random.choice((HOUR, DAY // 2)))
    if random.random() < 0.3:
        key = random.choice(("input", "output", "base"))
        told["applies_to"] = (
            {"charges": [key]} if key == "base" or random.random() < 0.5 else {"meters": [key]}
        )
    draft.grants.append((account, told["grant"]))
    draft.command(account, "grant_credits", **told)


def _taken(draft: _Draft) -> bool:
    """Whether an instant is one of those that a change may have only with a feature of their own."""
    near = {draft.clock - 1, draft.clock} & {*draft.edges, *draft.latest}
    return (bool(near) and "edge_changes" not in draft.features) or (
        draft.clock in draft.acted and "equal_changes" not in draft.features
    )


def _change(draft: _Draft, account: str) -> None:
    """A change of one of the account's subscriptions, where a feature has one."""
    random = draft.random
    key = random.choice(sorted(key for name, key in draft.subs if name == account))
    sub = draft.subs[account, key]
    kinds = [each for each in ("change", "pause", "quantities", "cancel") if each in draft.features]
    if not kinds or sub["over"] or sub["tried"] or draft.clock <= sub["start"]:
        return
    while _taken(draft):
        draft.clock += 1
    draft.acted.append(draft.clock)
    kind = random.choice(kinds)
    waits = draft.chance("period_end", 0.3)
    if sub["waits"] and random.random() < 0.3:
        sub["waits"] = False
        draft.command(account, "resume", subscription=key, at="now")
        return
    waits = waits and not sub["paused"]
    if kind == "pause" and sub["waits"]:
        return
    sub["waits"] = sub["waits"] or (waits and kind != "pause")
    told: Doc = {"subscription": key, "at": "period_end" if waits else "now"}
    if kind == "cancel":
        if random.random() < 0.4:
            sub["over"] = not waits
            draft.command(account, "cancel", **told)
    elif kind == "pause":
        sub["paused"] = not sub["paused"]
        told["at"] = "now"
        draft.command(account, "pause" if sub["paused"] else "resume", **told)
    elif kind == "quantities":
        draft.command(account, "set_quantity", fee="seats", quantity=str(random.randrange(6)), **told)
    elif draft.chance("terms", 0.2):
        draft.command(account, "change_plan", storefront=random.choice(("shop", "web")), **told)
    else:
        told["plan"] = random.choice(draft.catalog["plans"])["key"]
        if told["plan"] == "tryout" or (told["plan"] == sub["plan"] and "same_plan" not in draft.features):
            return
        sub["plan"] = told["plan"]
        if draft.chance("reanchor", 0.2) and not waits:
            told["anchor"] = "now"
        if draft.chance("overrides", 0.2):
            told["storefront"] = random.choice(("shop", "web"))
        draft.command(account, "change_plan", **told)
    if (
        draft.chance("late_commands", 0.3)
        and not waits
        and draft.inputs[-1].get("command", {}).get("type") == "change_plan"
    ):
        at = draft.clock - random.randrange(3 * DAY)
        draft.inputs[-1]["command"]["time"] = shown(max(at, sub["start"] + 1))
