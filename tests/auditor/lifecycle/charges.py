"""What the charges of a period come to: chains of segments, their tiers counting on, their bounds on the running amount.

The rules are sections Segments and Proration: `p_k(U(t_k+1)) - p_k(U(t_k))`, then `f_k(L + ΔL) - f_k(L)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from tests.auditor.lifecycle.answer import Due, Group
from tests.auditor.lifecycle.measure import Sample, aggregate, find, integrated
from tests.auditor.lifecycle.timeline import Period
from tests.auditor.lifecycle.words import Doc, field, part, shown
from tests.auditor.pricing import priced


@dataclass
class Segment:
    """A charge under one offer. `held` are the parts of it in which nothing is paused."""

    begin: int
    end: int
    plan: Doc
    charge: Doc
    held: list[tuple[int, int]]


@dataclass
class Reckoning:
    """A chain and what it is reckoned from: its meter, its samples of before and within, the nominal period."""

    chain: list[Segment]
    meter: Doc
    found: list[Sample]
    zone: str
    nominal: tuple[int, int]

    def grouped(self) -> dict[Group, list[Sample]]:
        """The samples by dimension group. Levels remember what came before; all else begins with the chain."""
        level = self.meter["aggregation"] == "time_weighted_sum"
        names = dimensions(self.chain[0].charge)
        groups: dict[Group, list[Sample]] = {} if names else {(): []}
        for sample in self.found:
            if sample.time < self.chain[-1].end and (level or sample.time >= self.chain[0].begin):
                group = tuple((name, sample.groups.get(name, "")) for name in sorted(names))
                groups.setdefault(group, []).append(sample)
        idle = [group for group, found in groups.items() if level and found and self._idle(found)]
        return {group: found for group, found in groups.items() if group not in idle} | (
            {} if names else {(): []} if idle else {}
        )

    def _idle(self, found: list[Sample]) -> bool:
        """Whether a level was at nothing when the chain began, and nothing came in it."""
        begin = self.chain[0].begin
        before = [sample for sample in found if sample.time < begin]
        sets = self.meter.get("value_is") == "level"
        level = before[-1].value if sets and before else sum((each.value for each in before), Fraction(0))
        return level == 0 and len(before) == len(found)

    def quantity(self, samples: list[Sample], until: int) -> Fraction:
        """`U(until)` of a group."""
        if self.meter["aggregation"] == "time_weighted_sum":
            length = self.nominal[1] - self.nominal[0]
            return integrated(self.meter, samples, self.chain[0].begin, until, length)
        return aggregate(self.meter, [each for each in samples if each.time < until], self.zone)

    def price(self, rule: Doc, group: Group, samples: list[Sample], until: int) -> Fraction:
        """`p(U(until))`."""
        past = [each for each in samples if each.time < until]
        events = [_event(rule, number, each) for number, each in enumerate(past)]

        def measure(chosen: list[Doc]) -> Fraction:
            if self.meter["aggregation"] == "time_weighted_sum":
                return self.quantity(past, until)
            return aggregate(self.meter, [past[each["number"]] for each in chosen], self.zone)

        return priced(rule, dict(group), events, measure)


def dimensions(charge: Doc) -> list[str]:
    """The names that a charge's usage is grouped by."""
    return charge.get("dimensions") or charge["price"].get("dimensions") or []


def _event(rule: Doc, number: int, sample: Sample) -> Doc:
    """A sample as `pricing` takes events."""
    doc: Doc = {"number": number, "time": shown(sample.time), "value": sample.value}
    prices = [
        rule["price"],
        rule["price"].get("default"),
        *(e["price"] for e in rule["price"].get("schedule", ())),
    ]
    for price in prices:
        if isinstance(price, dict) and price["model"] == "dynamic":
            doc["amount"] = str(find(sample.event.data, price["amount"]))
        if isinstance(price, dict) and "tier_value" in price:
            doc["tier_value"] = str(find(sample.event.data, price["tier_value"]))
    return doc


def chains(period: Period) -> Iterator[list[Segment]]:
    """Each charge of a period with its segments; one that ends and comes again is two chains."""
    merged: list[list[int]] = []
    for index, piece in enumerate(period.pieces):
        if piece.begin == piece.end:
            continue
        if merged and period.pieces[merged[-1][0]].terms.offer == piece.terms.offer:
            merged[-1].append(index)
        else:
            merged.append([index])
    going: dict[tuple[str, str, tuple[str, ...]], list[Segment]] = {}
    for indices in merged:
        pieces = [period.pieces[index] for index in indices]
        begin, end = pieces[0].begin, min(pieces[-1].end, period.stop)
        held = [(each.begin, min(each.end, period.stop)) for each in pieces if not each.terms.paused]
        before, going = going, {}
        for charge in pieces[0].plan.get("charges", ()):
            name = (charge["key"], charge["meter"], tuple(sorted(dimensions(charge))))
            going[name] = before.pop(name, [])
            going[name].append(Segment(begin, end, pieces[0].plan, charge, held))
        yield from before.values()
    yield from going.values()


def figure(chain: list[Segment], k: int, values: list[Fraction], nominal: tuple[int, int]) -> Fraction:
    """A prorated figure in segment `k`: the parts of those before, and this one's until the nominal end."""
    if chain[k].charge.get("prorate") is False:
        return values[k]
    before = [part(values[j], nominal, chain[j].begin, chain[j].end) for j in range(k)]
    return sum(before, Fraction(0)) + part(values[k], nominal, chain[k].begin, nominal[1])


def reckon(due: Due, reckoning: Reckoning, idle: bool) -> None:
    """Add what a chain costs to its charge's totals. `idle`: the period is paused throughout."""
    chain, nominal = reckoning.chain, reckoning.nominal
    due.chains += 1
    due.currency = chain[-1].plan["currency"]
    groups = reckoning.grouped()
    if idle:
        groups = {group: found for group, found in groups.items() if found}
    bounded = any(name in each.charge for each in chain for name in ("minimum", "maximum", "commitment"))
    if bounded:
        due.groups = None
    included = [field(each.charge, "included") for each in chain]
    within = {group: any(each.time >= chain[0].begin for each in found) for group, found in groups.items()}
    if not due.closed and reckoning.meter["aggregation"] == "time_weighted_sum":
        due.unsaid = True
    elif not due.closed and not any(within.values()):
        due.maybe = True
    elif not due.closed and (not all(within.values()) or _begins_unused(reckoning, groups)):
        due.unsaid = True
    if not idle and not any(each.held for each in chain) and not any(within.values()):
        due.unsaid = True
    running, costs = Fraction(0), list[Fraction]()
    for k, segment in enumerate(chain):
        rule = segment.charge
        if any(included):
            rule = {**rule, "included": figure(chain, k, included, nominal)}
        added = Fraction(0)
        for group, found in groups.items():
            cost = reckoning.price(rule, group, found, segment.end)
            if k:
                cost -= reckoning.price(rule, group, found, segment.begin)
            added += cost
            if due.groups is not None:
                due.groups[group] = due.groups.get(group, Fraction(0)) + cost * _rate(segment)
        bound = _bound(chain, k, rule, nominal)
        if bound is not None:
            added, running = bound(running + added) - bound(running), running + added
        costs.append(added)
        _book(due, segment, added)
    for group, found in groups.items():
        quantity = reckoning.quantity(found, chain[-1].end)
        due.quantities[group] = due.quantities.get(group, Fraction(0)) + quantity
    if due.closed and not idle:
        short = _shortage(chain, costs, nominal)
        due.shortage += short * _rate(chain[-1])
        _book(due, chain[-1], short)


def _begins_unused(reckoning: Reckoning, groups: dict[Group, list[Sample]]) -> bool:
    """Whether a first segment without usage costs something all the same, which waits for the close."""
    first = reckoning.chain[0]
    if len(reckoning.chain) == 1:
        return False
    unused = [group for group, found in groups.items() if not any(each.time < first.end for each in found)]
    return any(reckoning.price(first.charge, group, [], first.end) for group in unused)


def _rate(segment: Segment) -> Fraction:
    """The plan's currency for one of what the charge is priced in."""
    unit = segment.charge.get("unit")
    return field(segment.plan.get("conversion_rates", {}), unit) if unit else Fraction(1)


def _book(due: Due, segment: Segment, amount: Fraction) -> None:
    money = amount * _rate(segment)
    due.amount += money
    name = (segment.plan["key"], segment.plan.get("version", 1))
    due.plans[name] = due.plans.get(name, Fraction(0)) + money
    if "unit" in segment.charge:
        due.units = (due.units or Fraction(0)) + amount


class _Step:
    """`f_k`: what a running amount comes to under a commitment and a maximum."""

    def __init__(self, committed: Fraction | None, factor: Fraction, maximum: Fraction | None) -> None:
        self.committed, self.factor, self.maximum = committed, factor, maximum

    def __call__(self, amount: Fraction) -> Fraction:
        if self.committed is not None and amount > self.committed:
            amount = self.committed + (amount - self.committed) * self.factor
        return amount if self.maximum is None else min(amount, self.maximum)


def _bound(chain: list[Segment], k: int, rule: Doc, nominal: tuple[int, int]) -> _Step | None:
    commitment, maximum = rule.get("commitment"), rule.get("maximum")
    if not commitment and maximum is None:
        return None
    most = [field(each.charge, "maximum") for each in chain]
    cap = None if maximum is None else figure(chain, k, most, nominal)
    if not commitment:
        return _Step(None, Fraction(1), cap)
    name = "quantity" if "quantity" in commitment else "amount"
    promised = figure(chain, k, [field(each.charge.get("commitment", {}), name) for each in chain], nominal)
    if name == "quantity":
        promised = priced(rule, {}, [{"value": promised}])
    return _Step(promised, field(commitment, "overage_factor", "1"), cap)


def _shortage(chain: list[Segment], costs: list[Fraction], nominal: tuple[int, int]) -> Fraction:
    """Minimum and true-up at the close: the held parts, against the segments that have one. The last one that was held, where
    it is without proration, has its own figure, whole, in their place."""
    last = next((each for each in reversed(chain) if each.held), None)
    floor, reached, some = Fraction(0), Fraction(0), False
    for segment, cost in zip(chain, costs, strict=True):
        commitment = segment.charge.get("commitment", {})
        least = segment.charge.get("minimum")
        if commitment.get("true_up"):
            least = commitment.get("amount")
            if least is None:
                least = priced(segment.charge, {}, [{"value": commitment["quantity"]}])
        if least is None:
            continue
        some, reached = True, reached + cost
        if segment.charge.get("prorate") is False and segment is last:
            floor = Fraction(least)
        else:
            floor += sum((part(Fraction(least), nominal, a, b) for a, b in segment.held), Fraction(0))
    return max(floor - reached, Fraction(0)) if some else Fraction(0)
