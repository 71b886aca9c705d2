"""Signals against a small model that shares nothing with the engine: it looks at every account on every full hour, and adds
up the events themselves. More ticks, later drains and a restored state change nothing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from rating.cells import DictIds
from rating.effects import Effect
from rating.times import DAY, HOUR, MINUTE, format_time, parse_time
from schemas import topics
from streams.rate.store import Store
from tests.property.partition import TENANT, Doc, Rater, Writer, values
from tests.property.test_clock import lazily, thickened
from tests.property.test_state import CUTS, Worker, cut

CASES = 60
EXAMPLES = settings(max_examples=CASES, deadline=None, derandomize=True)
BEGIN = parse_time("2026-03-02T00:00:00Z")
ACCOUNTS = ("ann", "bob")
METER: Doc = {"key": "tokens", "event_type": "use", "aggregation": "sum", "value": "$.value",
              "group_by": {"region": "$.region"}}  # fmt: skip
CHARGE: Doc = {"key": "input", "meter": "tokens", "dimensions": ["region"],
               "price": {"model": "per_unit", "unit_amount": "0.5"}}  # fmt: skip
PLAN: Doc = {"key": "pro", "version": 1, "effective_from": "2020-01-01T00:00:00Z", "currency": "USD",
             "period": "month", "charges": [CHARGE]}  # fmt: skip
UNITS = {"s": 1_000_000, "m": MINUTE, "h": HOUR, "d": DAY}


class Used(NamedTuple):
    """An event, or one that is taken back."""

    name: str
    account: str
    time: int
    value: int
    region: str


class Act(NamedTuple):
    """What comes when the clock is at `at`: usage, with `sign` −1 its retraction, or nothing but the time."""

    at: int
    used: Used | None
    sign: int


def length(text: str) -> int:
    return int(text[:-1]) * UNITS[text[-1]]


conditions: st.SearchStrategy[Doc] = st.one_of(
    st.fixed_dictionaries(
        {"fact": st.sampled_from(["usage", "spend"]), "meter": st.just("tokens"), "over": st.sampled_from(["2h", "90m", "1d", "3d"]),
         "gte": st.sampled_from(["1", "10", "25", "40"])},
        optional={"filter": st.just({"region": ["eu"]})},
    ),
    st.fixed_dictionaries({"fact": st.just("usage"), "meter": st.just("tokens"), "over": st.just("5h"), "lt": st.just("8")}),
    st.fixed_dictionaries({"fact": st.just("growth"), "meter": st.just("tokens"), "over": st.sampled_from(["3h", "1d"]),
                           "gt": st.sampled_from(["0.5", "1"])}),
    st.fixed_dictionaries({"fact": st.just("idle"), "gt": st.sampled_from(["3h", "30h"])}),
    st.fixed_dictionaries({"fact": st.just("age"), "gte": st.sampled_from(["7h", "40h"])}),
    st.fixed_dictionaries({"fact": st.just("plan"), "in": st.just(["pro"])}),
)  # fmt: skip
nodes = st.recursive(
    conditions,
    lambda inner: st.builds(lambda how, parts: {how: parts}, st.sampled_from(["all", "any", "not"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=4,
).filter(lambda node: depth(node) <= 3)  # fmt: skip


def depth(node: Doc) -> int:
    inner = next((node[how] for how in ("all", "any", "not") if how in node), None)
    return 0 if inner is None else 1 + max(depth(each) for each in inner)


@st.composite
def rules(draw: st.DrawFn) -> list[Doc]:
    return [
        {"key": f"rule-{number}", "kind": "custom", "when": draw(nodes),
         "hold": draw(st.sampled_from(["0s", "30m", "2h"])), "cool_down": draw(st.sampled_from(["0s", "5h", "2d"]))}
        for number in range(draw(st.integers(1, 3)))
    ]  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Act]:
    """Usage in time order, a little late or ahead, some of it taken back, over some days; the account's own times differ."""
    at = BEGIN
    found: list[Act] = []
    for number in range(draw(st.integers(1, 12))):
        at += draw(st.sampled_from([0, 10, 60, 130, 26 * 60])) * MINUTE
        usages = [act.used for act in found if act.sign > 0]
        taken = {act.used for act in found if act.sign < 0}
        old = [used for used in usages if used not in taken]
        if old and draw(st.integers(0, 4)) == 0:
            found.append(Act(at, draw(st.sampled_from(old)), -1))
            continue
        used = Used(
            f"ev-{number}", draw(st.sampled_from(ACCOUNTS)),
            max(at + draw(st.sampled_from([-30 * 60, -90, -5, 0, 0, 20])) * MINUTE, BEGIN),
            draw(st.sampled_from([1, 5, 9, 30])), draw(st.sampled_from(["eu", "us"])),
        )  # fmt: skip
        found.append(Act(at, used, 1))
    return [*found, Act(at + draw(st.sampled_from([3, 30, 200])) * HOUR, None, 1)]


def event(used: Used) -> Doc:
    return {"specversion": "1.0", "id": used.name, "source": "src", "type": "use", "tenant": TENANT,
            "subject": used.account, "time": format_time(used.time),
            "data": {"value": used.value, "region": used.region}}  # fmt: skip


def log(catalog_rules: list[Doc], history: list[Act]) -> Writer:
    writer = Writer({"meters": [METER], "plans": [PLAN], "rules": catalog_rules})
    writer.tick(BEGIN)
    for account in ACCOUNTS:
        writer.command({"id": f"sub-{account}", "tenant": TENANT, "account": account, "type": "subscribe",
                        "time": format_time(BEGIN), "subscription": "sub-1", "plan": "pro",
                        "start": format_time(BEGIN)}, BEGIN)  # fmt: skip
    for number, act in enumerate(history):
        writer.tick(act.at)
        if act.used is None:
            continue
        if act.sign > 0:
            writer.events([event(act.used)], act.at)
        else:
            writer.command({"id": f"cmd-{number}", "tenant": TENANT, "account": act.used.account, "type": "retract_usage",
                            "time": format_time(act.at), "source": "src", "event_id": act.used.name,
                            "was": event(act.used)}, act.at)  # fmt: skip
    assert not writer.rejected, [each.detail for each in writer.rejected]
    return writer


class Model:
    """One account's rules, looked at whenever it is told to."""

    def __init__(self, account: str, catalog_rules: list[Doc]) -> None:
        self.account = account
        self.rules = catalog_rules
        self.used: list[tuple[Used, int]] = []
        self.since: dict[str, int] = {}
        self.on: set[str] = set()
        self.turned: dict[str, int] = {}
        self.told: list[tuple[str, str, str]] = []

    def look(self, now: int) -> None:
        for rule in self.rules:
            key = rule["key"]
            if not self.holds(rule["when"], now):
                self.since.pop(key, None)
                if key in self.on:
                    self.on.remove(key)
                    self.told.append((key, "off", format_time(now)))
                continue
            begun = self.since.setdefault(key, now)
            cool = key not in self.turned or now - self.turned[key] >= length(rule["cool_down"])
            if key not in self.on and cool and now - begun >= length(rule["hold"]):
                self.on.add(key)
                self.turned[key] = now
                self.told.append((key, "on", format_time(now)))

    def holds(self, node: Doc, now: int) -> bool:
        for how, decide in (("all", all), ("any", any)):
            if how in node:
                return bool(decide([self.holds(each, now) for each in node[how]]))
        if "not" in node:
            return not any(self.holds(each, now) for each in node["not"])
        value = self.value(node, now)
        if value is None:
            return False
        if "in" in node:
            return value in node["in"]
        ((name, bound),) = [(name, node[name]) for name in ("gte", "gt", "lt") if name in node]
        limit = length(bound) if node["fact"] in ("idle", "age") else Fraction(bound)
        return bool({"gte": value >= limit, "gt": value > limit, "lt": value < limit}[name])

    def value(self, node: Doc, now: int) -> Any:
        fact = node["fact"]
        if fact == "plan":
            return "pro"
        if fact == "age":
            return now - BEGIN
        if fact == "idle":
            last = max((used.time for used, sign in self.used if sign > 0), default=None)
            return None if last is None else max(now - last, 0)
        over = length(node["over"])
        start = (now - over) // HOUR * HOUR
        if fact == "growth":
            before = self.sum(node, (now - 2 * over) // HOUR * HOUR, start)
            return None if not before else self.sum(node, start) / before
        return self.sum(node, start) / (2 if fact == "spend" else 1)

    def sum(self, node: Doc, start: int, end: int = 1 << 62) -> Fraction:
        allowed = node.get("filter", {}).get("region", ["eu", "us"])
        return sum(
            (Fraction(sign * used.value) for used, sign in self.used
             if start <= used.time // HOUR * HOUR < end and used.region in allowed),
            Fraction(0),
        )  # fmt: skip


def expected(catalog_rules: list[Doc], history: list[Act]) -> dict[str, list[tuple[str, str, str]]]:
    """What each account's rules tell, looked at after its records and on every full hour."""
    models = {account: Model(account, catalog_rules) for account in ACCOUNTS}
    clock = BEGIN
    for model in models.values():
        model.look(BEGIN)
    for act in history:
        for hour in range(clock // HOUR * HOUR + HOUR, act.at + 1, HOUR):
            for model in models.values():
                model.look(hour)
        clock = act.at
        if act.used is not None:
            models[act.used.account].used.append((act.used, act.sign))
            models[act.used.account].look(clock)
    return {account: model.told for account, model in models.items()}


def told(effects: list[Effect]) -> dict[str, list[tuple[str, str, str]]]:
    found: dict[str, list[tuple[str, str, str]]] = {account: [] for account in ACCOUNTS}
    for each in values(effects, topics.SIGNALS):
        found[each["account"]].append((each["rule"], each["state"], each["time"]))
    return found


def by_account(effects: list[Effect]) -> dict[str, list[Doc]]:
    found: dict[str, list[Doc]] = {}
    for each in values(effects, topics.SIGNALS):
        found.setdefault(each["account"], []).append(each)
    return found


def restored(writer: Writer, places: list[int]) -> list[Effect]:
    """Rated in batches, the state read back from its bytes after each."""
    worker, effects = Worker(Store(), DictIds()), []
    for batch in cut(writer.records, places):
        effects += worker.batch(batch)
        worker = worker.restored()
    return effects


def test_signals_are_those_of_the_model_however_the_log_is_taken() -> None:
    counts: list[int] = []

    @EXAMPLES
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        catalog_rules, history = data.draw(rules()), data.draw(histories())
        writer = log(catalog_rules, history)
        plain = Rater().rate(writer.records)
        assert told(plain) == expected(catalog_rules, history)
        ticks = Rater().rate(data.draw(thickened(writer.records)))
        assert by_account(ticks) == by_account(plain)
        lazy = lazily(writer.records, data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=3)))
        assert by_account(lazy) == by_account(plain)
        assert by_account(restored(writer, data.draw(CUTS))) == by_account(plain)
        counts.append(len(values(plain, topics.SIGNALS)))

    holds()
    assert len(counts) >= CASES
    assert sum(count > 2 for count in counts) > CASES // 3
