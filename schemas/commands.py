"""Commands: what changes an account, and `apply_catalog`; read from a record of `billing.commands.v1`, checked, canonical.

    parse_command(b'{"id": "c1", "tenant": "acme", "account": "cust-1", "type": "unpark", "time": "…"}')
      -> ParsedCommand | CommandProblem

Unknown fields are refused: a misspelt `expires_at` would otherwise grant credits for ever. What depends on the state
(an unknown plan, a second subscription of one name) is decided where the state is, and is `bad_command` there too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from rating.times import parse_time
from schemas.canonical import check_depth
from schemas.catalog.base import field_names, suggestion
from schemas.catalog.canonical import canonical
from schemas.catalog.load import check_catalog
from schemas.catalog.problems import shown
from schemas.catalog.scalars import ID
from schemas.checked import checked, joined
from schemas.command_models import COMMANDS

DIGITS_MAX = 400
"""Digits of a number literal; longer ones are no quantity of anything, and costly to read."""


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """A command that is sound by itself. `time` in microseconds; `account` is empty for `apply_catalog`, and for the `unpark`
    of a tenant's own limits.

    `fields` is the canonical form without the envelope: decimals and times as text, defaults left out; `overrides` keeps
    what it names. For `apply_catalog` it holds `catalog`, canonical. `was` and `now` are events as they came, numbers as
    `int` and `Decimal`.
    """

    id: str
    tenant: str
    account: str
    type: str
    time: int
    fields: Mapping[str, Any]
    was: Mapping[str, Any] | None = None
    now: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CommandProblem:
    """Why a command cannot be used; `detail` is one sentence a problem. `tenant` and `id` where they could be read."""

    detail: str
    tenant: str = ""
    id: str = ""
    code: str = "bad_command"


class _Unreadable(Exception):
    pass


def parse_command(value: bytes | None) -> ParsedCommand | CommandProblem:
    """Read the value of a record of `billing.commands.v1`."""
    try:
        data = _decode(value)
    except _Unreadable as error:
        return CommandProblem(str(error))
    return check_command(data)


def check_command(data: Any) -> ParsedCommand | CommandProblem:
    """The same over decoded JSON, numbers as `int`, `Decimal` or text; never as floats."""
    if not isinstance(data, dict):
        return CommandProblem("the command is not a JSON object")
    tenant, name = _readable(data, "tenant") or "default", _readable(data, "id")
    kind = data.get("type")
    model = COMMANDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        meant = suggestion(str(kind), COMMANDS)
        remedy = f"did you mean {meant}?" if meant else f"use one of {', '.join(COMMANDS)}"
        problem = f"type: {shown(kind)} is no command" if kind is not None else "type: is missing"
        return CommandProblem(f"{problem}; {remedy}", tenant, name)
    catalog = data.get("catalog") if kind == "apply_catalog" else None
    found = checked(model, {key: each for key, each in data.items() if catalog is None or key != "catalog"})
    if isinstance(found, str):
        return CommandProblem(found, tenant, name)
    fields = {key: each for key, each in canonical(found).items() if key not in _ENVELOPE}
    was, now = fields.pop("was", None), fields.pop("now", None)
    if kind == "apply_catalog":
        loaded = check_catalog(catalog, file="")
        if loaded.doc is None:
            return CommandProblem(joined([f"catalog.{each}" for each in loaded.problems]), tenant, name)
        fields["catalog"] = loaded.doc
    account = getattr(found, "account", None) or ""
    return ParsedCommand(
        found.id, found.tenant, account, found.type, parse_time(found.time), fields, was, now
    )


_ENVELOPE = frozenset({"id", "tenant", "account", "type", "time"})


def _readable(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) and ID.fullmatch(value) else ""


def _decode(value: bytes | None) -> Any:
    if value is None:
        raise _Unreadable("the command is empty: a record needs a value")
    try:
        found = json.loads(
            value.decode("utf-8"),
            parse_float=_number,
            parse_int=_whole,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
        check_depth(found, value)
        if b"\\u" in value:
            msgspec.json.decode(value)
        return found
    except UnicodeDecodeError:
        raise _Unreadable("the command is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise _Unreadable(f"the command is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _Unreadable("the command is nested too deep") from None
    except msgspec.DecodeError:
        # What `json` alone takes: a text that no record can be written with.
        raise _Unreadable("the command has half a surrogate pair in a text") from None


def _number(literal: str) -> Decimal:
    if len(literal) > DIGITS_MAX:
        raise _Unreadable("the command has a number of more than 400 characters")
    try:
        return Decimal(literal)
    except InvalidOperation:
        raise _Unreadable("the command has a number with an exponent of more than 18 digits") from None


def _whole(literal: str) -> int:
    if len(literal) > DIGITS_MAX:
        raise _Unreadable("the command has a number of more than 400 characters")
    return int(literal)


def _constant(literal: str) -> Any:
    raise _Unreadable(f"the command has {literal}, which is no JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unreadable(f"the command has {twice} twice in one object; keep one")
    return result


__all__ = ["COMMANDS", "CommandProblem", "ParsedCommand", "check_command", "field_names", "parse_command"]
