"""Reservations at the desk: asked for, committed, released. Decided in memory; what is to be written comes with the answer."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from rating import numbers
from rating.availability import BALANCE, Bound, Decision, decide
from rating.errors import TimeError
from rating.reservations import COMMITTED, OPEN, Hold, HoldKey
from rating.times import SECOND, format_time, parse_duration, parse_time
from schemas.gateway import Reserve
from streams.gateway.desk import Desk, Sight
from streams.gateway.events import check
from streams.gateway.keeper import Write
from streams.gateway.problems import Problem, unavailable

SOURCE = "azotte-gateway"
"""With the account: ids of reservations are an account's, ids of events its whole tree's."""
RETRY_S = 60
"""Where nobody knows when a limit lets go."""
Members = Mapping[str, msgspec.Raw]


class Reply(NamedTuple):
    """An answer's body, and what must be written before it is given (`None`: that is written already, or on its way)."""

    body: dict[str, Any]
    write: Write | None


def reserve(desk: Desk, tenant: str, account: str, asked: Reserve, now: int, most: int) -> Reply:
    """Grant or refuse at once. Raises `Problem`."""
    key, request = HoldKey(tenant, account, asked.id), _digest(asked.model_dump_json().encode())
    known = desk.book.get(key)
    if known is not None:
        if known.request != request:
            raise Problem(
                409, "id-conflict", f"reservation {asked.id} was asked for otherwise: take another id"
            )
        return Reply(_granted(known), None)
    if len(desk.book) >= most:
        raise unavailable(
            f"the gateway keeps gateway_reservations_max, {most}, reservations", "too-many-reservations"
        )
    # Without a subject the event will be the account's own.
    sight = desk.look(tenant, account, asked.feature, asked.subject or account, asked.dimensions, now)
    _check_access(sight, asked, now)
    minimum = None if asked.minimum is None else numbers.quantity(asked.minimum)
    decision = decide(sight.bounds, numbers.quantity(asked.quantity), minimum)
    if not decision.granted:
        raise _refusal(decision, asked, now)
    hold = _hold(desk, key, request, asked, sight, decision, now)
    desk.book.put(hold)
    return Reply(_granted(hold), Write(desk.world.partition(tenant, account), hold))


def _hold(
    desk: Desk, key: HoldKey, request: str, asked: Reserve, sight: Sight, decision: Decision, now: int
) -> Hold:  # fmt: skip
    claims = {bound.key: bound.takes(decision.granted) for bound in sight.bounds}
    return Hold(
        key=key, root=desk.world.root(key.tenant, key.account), feature=asked.feature,
        granted=numbers.quantity_text(decision.granted), available=_text(decision.available),
        claims={sight.asked.own: decision.granted, **claims}, expires=now + parse_duration(asked.ttl),
        request=request, subject=asked.subject,
    )  # fmt: skip


def _granted(hold: Hold) -> dict[str, Any]:
    return {
        "id": hold.key.id, "granted": hold.granted, "available": hold.available, "expires_at": format_time(hold.expires),
    }  # fmt: skip


def _refused(asked: Reserve, available: int | None) -> dict[str, Any]:
    return {"id": asked.id, "granted": "0", "available": _text(available), "expires_at": None}


def _text(quantity: int | None) -> str | None:
    return None if quantity is None else numbers.quantity_text(quantity)


def _check_access(sight: Sight, asked: Reserve, now: int) -> None:
    """Raise the `Problem` of a feature that may not be used at all."""
    value = None if sight.found is None else sight.found.value
    if value is not None and value["access"]:
        return
    reason = "not_in_plan" if value is None else value["reason"]
    resets_at = None if value is None else value.get("resets_at")
    body = _refused(asked, 0)
    if reason == "exhausted":
        raise Problem(402, "exhausted", "nothing is left of the feature, and no more may be used", body)
    if reason == "hard_limit":
        raise Problem(429, "limit-reached", "a limit of the account is reached", body, _retry(resets_at, now))
    raise Problem(403, "no-access", f"the account may not use the feature: {reason}", body)


def _refusal(decision: Decision, asked: Reserve, now: int) -> Problem:
    body = _refused(asked, decision.available)
    need = asked.minimum or asked.quantity
    bound: Bound | None = decision.refused_by
    if bound is None or bound.kind == BALANCE:
        return Problem(402, "exhausted", f"less than {need} is left of the balance: ask for less", body)
    words = f"less than {need} is left of limit {bound.key.name}: ask for less, or later"
    return Problem(429, "limit-reached", words, body, _retry(bound.resets_at, now))


def _retry(resets_at: str | None, now: int) -> dict[str, str]:
    try:
        wait_us = RETRY_S * SECOND if resets_at is None else parse_time(resets_at) - now
    except TimeError:
        wait_us = RETRY_S * SECOND
    return {"Retry-After": str(max(1, -(-wait_us // SECOND)))}


def commit(
    desk: Desk, tenant: str, account: str, name: str, event: Members, now: int, bytes_max: int
) -> Reply:  # fmt: skip
    """The event that a reservation was for, to be published once. Raises `Problem`."""
    hold = _known(desk, HoldKey(tenant, account, name))
    filled, digest = _filled(hold, event, now)
    checked = check(filled, tenant, bytes_max)
    if checked.problem is not None:
        code, detail = checked.problem
        raise Problem(400, "bad-event", f"event: {detail}", {"error": code})
    body = {"id": name, "event": {"id": checked.id, "source": _plain(filled, "source")}}
    if _plain(filled, "account") != account:
        raise Problem(
            400, "bad-event", f"event: account is not {account}: leave it out", {"error": "bad_value"}
        )
    if hold.state == COMMITTED:
        if hold.event != digest:
            raise Problem(409, "id-conflict", f"reservation {name} was committed with another event")
        return Reply(body, None)
    hold = desk.book.commit(hold.key, digest, now)
    return Reply(body, Write(desk.world.partition(tenant, account), hold, (checked.key, checked.value)))


def _filled(hold: Hold, event: Members, now: int) -> tuple[bytes, str]:
    """The event with what the reservation says of it, and a digest of what the caller said."""
    own = {
        "specversion": "1.0", "id": hold.key.id, "source": f"{SOURCE}/{hold.key.account}", "tenant": hold.key.tenant, "account": hold.key.account,
        "subject": hold.subject or hold.key.account, "time": format_time(now),
    }  # fmt: skip
    said = {name: event[name] for name in sorted(event)}
    filled = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in own.items()} | said
    return msgspec.json.encode(filled), _digest(msgspec.json.encode(said))


def _plain(event: bytes, name: str) -> Any:
    return msgspec.json.decode(msgspec.json.decode(event, type=dict[str, msgspec.Raw])[name])


def release(desk: Desk, tenant: str, account: str, name: str, now: int) -> Write | None:
    """Give back what is held; `None` where nothing is. Raises `Problem`."""
    hold = _known(desk, HoldKey(tenant, account, name))
    if hold.state == COMMITTED:
        raise Problem(409, "committed", f"reservation {name} is committed: it ends when its usage is counted")
    if hold.state != OPEN or not hold.held:
        return None
    hold = desk.book.release(hold.key, now)
    return Write(desk.world.partition(tenant, account), hold)


def _known(desk: Desk, key: HoldKey) -> Hold:
    hold = desk.book.get(key)
    if hold is None:
        raise Problem(404, "unknown-reservation", f"there is no reservation {key.id}, or it ended over a day ago: send the event to /v1/events")  # fmt: skip
    return hold


def _digest(text: bytes) -> str:
    return blake2b(text, digest_size=16).hexdigest()
