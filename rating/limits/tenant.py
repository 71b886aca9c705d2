"""Limits of a whole tenant. Its accounts lie on all partitions of the log, so each tells what its steps used and cost to
one place, and a step there counts it.

    a step ─> figures ─> one record a tenant, to the log, in the step's transaction ─> a step of `TENANT_ACCOUNT` ─> look

Usage is what the meter read, once however many charges price it; spend is the charge lines, each at its window's start.
A record is known by what made it: a record of the log by its offset, an account's timers by their count, which is the
same however they fire. What is told again, since a log is rated anew, is dropped by that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rating import numbers
from rating.catalog.limits import FINE, Limit
from rating.catalog.tenants import is_summed
from rating.cells import Cells
from rating.effects import Effect
from rating.facts import Facts, rows
from rating.lines import CHARGES
from rating.periods import Calendar
from rating.records import TenantUsage
from rating.state import TENANT_ACCOUNT
from rating.step import Step
from rating.times import parse_time

LOG = "rating.log.v1"
FIGURES_MAX = 1_000
"""Figures in one record: readings that do not sum up carry an event's id and value each."""
_KINDS = ("usage", "correction")


class Figure(NamedTuple):
    """What counts at a moment: money of a currency, or usage (``""``). `dims` are the meter's `group_by`, `None` where a
    charge does not have it. What sums up has neither `key` nor `value`."""

    currency: str
    meter: str
    dims: tuple[str | None, ...]
    time: int
    key: str = ""
    value: int | str = ""


Figures = Mapping[Figure, int]
"""Each with its amount in 10⁻³⁶, or how often a reading counts."""


def figures(step: Step) -> Figures:
    """What a step brought that limits of its tenant count."""
    limits = step.catalog.tenant
    found: dict[Figure, int] = {}
    if not limits.limits or step.account == TENANT_ACCOUNT:
        return found
    facts = [part.facts for part in step.parts() if part.facts is not None]
    for meter, by_day in limits.meters.items():
        _add(found, _used(step, facts, meter, by_day))
    if limits.spends:
        _add(found, _spent(step))
    return found


def _add(found: dict[Figure, int], more: Iterable[tuple[Figure, int]]) -> None:
    for figure, amount in more:
        found[figure] = found.get(figure, 0) + amount


def _used(step: Step, facts: Iterable[Facts], key: str, by_day: bool) -> Iterator[tuple[Figure, int]]:
    meter = step.catalog.meters[key]
    days = Calendar("day", step.catalog.timezone)
    for row in rows(facts, key, None):
        if is_summed(meter):
            time = days.at(row.time).start if by_day else row.time
            one = numbers.QTY if meter.aggregation == "count" else numbers.quantity(row.value)
            yield Figure("", key, row.dims, time), row.sign * one * FINE
        else:
            yield Figure("", key, row.dims, row.time, row.key, row.value), row.sign


def _spent(step: Step) -> Iterator[tuple[Figure, int]]:
    for topic, _, line, _ in step.effects:
        if topic == CHARGES and line is not None and line["kind"] in _KINDS:
            names, dims = step.catalog.meters[line["meter"]].dimensions, line["dimensions"]
            figure = Figure(
                line["currency"], line["meter"], tuple(map(dims.get, names)), parse_time(line["window_start"])
            )
            yield figure, numbers.scaled(line["amount"], numbers.AMOUNT_DIGITS, numbers.AMOUNT_INTEGERS)  # fmt: skip


def of_record(tenant: str, partition: int, offset: int, told: Iterable[Figures]) -> list[Effect]:
    """What tells the figures of one record's steps."""
    found: dict[Figure, int] = {}
    for each in told:
        _add(found, each.items())
    return list(_effects(tenant, partition, "", offset, found))


def of_timer(step: Step) -> list[Effect]:
    """What tells the figures of a timer's step."""
    found = figures(step)
    if not any(found.values()):
        return []
    place = ("account", step.tenant, step.account)
    count = (step.cells.get(place, "told") or 0) + 1
    step.cells.put(place, "told", count)
    return list(_effects(step.tenant, step.source.partition, step.account, count, found))


def _effects(tenant: str, partition: int, account: str, number: int, found: Figures) -> Iterator[Effect]:
    rows = [[*figure, str(amount)] for figure, amount in found.items() if amount]
    for first in range(0, len(rows), FIGURES_MAX):
        value = {"tenant": tenant, "partition": partition, "account": account, "number": number,
                 "part": first // FIGURES_MAX, "figures": rows[first : first + FIGURES_MAX]}  # fmt: skip
        yield Effect(LOG, f"{tenant}/{TENANT_ACCOUNT}", value)


def is_new(cells: Cells, record: TenantUsage) -> bool:
    """Whether this was not told before; it is noted as told."""
    place, name = ("told", record.tenant), f"{record.partition}|{record.account}"
    mark = record.number, record.part
    if mark <= (cells.get(place, name) or (-1, 0)):
        return False
    cells.put(place, name, mark)
    return True


def of_limit(
    step: Step, limit: Limit, meter: str | None, told: Iterable[Sequence[Any]]
) -> Iterator[tuple[Figure, int]]:
    """The figures that a limit counts."""
    currency = limit.doc.get("currency", "") if limit.metric == "spend" else ""
    for *fields, amount in told:
        figure = Figure(*fields)
        if figure.currency == currency and meter in (None, figure.meter):
            names = step.catalog.meters[figure.meter].dimensions
            values = dict(zip(names, figure.dims, strict=True))
            if all(values.get(name) in allowed for name, allowed in limit.filter):
                yield figure, int(amount)
