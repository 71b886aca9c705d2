"""Commands of one account, each to its rule; a refusal is a value that the engine rejects with."""

from __future__ import annotations

from collections.abc import Callable

from rating import accounts, backfills, burndown, changes, numbers, subscriptions, waiting
from rating.due import pay_what_is_due
from rating.effects import Effect
from rating.errors import Refused
from rating.limits import commands as limit_commands
from rating.records import Command
from rating.state import NEVER, Grant
from rating.step import Step
from rating.timeline import spell_at, timeline
from rating.times import format_time, parse_time

_SCALE = 10 ** (numbers.AMOUNT_DIGITS - numbers.QTY_DIGITS)


_ACTS: dict[str, Callable[[Step, Command], object]] = {
    "subscribe": subscriptions.subscribe,
    **dict.fromkeys(("change_plan", "cancel", "pause", "resume", "set_quantity"), changes.change),
    "open_backfill": backfills.open_,
    "close_backfill": backfills.close,
    "set_account": accounts.set_account,
    "set_limit": limit_commands.set_limit,
    "remove_limit": limit_commands.remove_limit,
}
_NOTHING_HERE = ("register_subject", "remove_subject", "unpark")
"""What CONTROL has done already."""


def apply(step: Step, command: Command) -> None:
    """Apply any command but corrections. Raises `Refused`."""
    kind = command.type
    if kind == "grant_credits":
        _grant(step, command)
    elif kind == "void_grant":
        _void(step, command)
    elif kind in _ACTS:
        _ACTS[kind](step, command)
    elif kind not in _NOTHING_HERE:
        raise Refused(f"{kind} is not supported yet")


def _grant(step: Step, command: Command) -> None:
    fields = command.fields
    key = fields["grant"]
    if step.cells.get(("grant", step.tenant, step.account), key) is not None:
        raise Refused(f"grant {key} is there already: give it another name")
    order = (step.cells.get(("account", step.tenant, step.account), "grants") or 0) + 1
    step.cells.put(("account", step.tenant, step.account), "grants", order)
    applies = fields.get("applies_to") or {}
    amount = numbers.quantity(fields["amount"]) * _SCALE
    effective = parse_time(fields["effective_from"]) if fields.get("effective_from") else command.time
    made = Grant(
        amount=amount, unit=fields["unit"], priority=int(fields.get("priority", 50)), effective=effective,
        expires=parse_time(fields["expires_at"]) if fields.get("expires_at") else NEVER, order=order, balance=amount,
        entries=0, charges=_names(applies.get("charges")), meters=_names(applies.get("meters")),
        rollover=_rollover(fields.get("rollover")), rolled=_period_end(step, command.time), ahead=0, ended="",
        created=command.time,
    )  # fmt: skip
    burndown.grant(step, key, made)
    if fields.get("effective_from") and effective <= command.time:
        pay_what_is_due(step, effective)


def _names(found: object) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)  # type: ignore[arg-type]


def _rollover(doc: dict[str, str] | None) -> tuple[int, int] | None:
    if doc is None:
        return None
    high = numbers.quantity(doc["max"]) * _SCALE if doc.get("max") is not None else numbers.AMOUNT_MAX
    return numbers.quantity(doc.get("min", "0")) * _SCALE, high


def _period_end(step: Step, at: int) -> int:
    """The end of the oldest subscription's period: a grant by command rolls over then."""
    for sub in step.subscriptions():
        if sub.end == NEVER:
            return spell_at(step.catalog, timeline(step, sub), max(at, sub.start)).nominal
    return NEVER


def _void(step: Step, command: Command) -> None:
    key = command.fields["grant"]
    held: Grant | None = step.cells.get(("grant", step.tenant, step.account), key)
    if held is None or held.ended:
        raise Refused(f"grant {key} is {'unknown' if held is None else 'over already'}")
    wanted = command.fields.get("amount")
    amount = held.balance if wanted is None else numbers.quantity(wanted) * _SCALE
    if amount > held.balance:
        raise Refused(
            f"grant {key} has only {numbers.amount_text(held.balance)} left: void no more than that"
        )
    burndown.end(step, key, held, "void", amount)


def refusal(step: Step, command: Command, error: Refused) -> Effect:
    """A command that was refused, as a rejected record."""
    origin = command.origin
    headers = (
        ("error", "bad_command"), ("error_detail", str(error)), ("stage", "rate"), ("origin_topic", origin.topic),
        ("origin_partition", str(origin.partition)), ("origin_offset", str(origin.offset)),
    )  # fmt: skip
    envelope = {
        "id": command.id, "tenant": command.tenant, "account": command.account, "type": command.type,
        "time": format_time(command.time),
    }  # fmt: skip
    return Effect(waiting.REJECTED, step.key, envelope | dict(command.fields), headers)
