"""What is wrong with a catalog, as values: file, line, field, value, problem and remedy; and pydantic's errors as such."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from rating.prices import MODELS
from schemas.catalog.base import field_names, suggestion
from schemas.catalog.meters import Aggregation

Loc = tuple[str | int, ...]
SHOWN_MAX = 60


@dataclass(frozen=True, slots=True)
class CatalogProblem:
    """One thing that is wrong. `line` counts from 1 (0 where there is no file), `field` is a path like
    `plans[0].fees[1].amount` (empty for the whole), `value` is short text."""

    file: str
    line: int
    field: str
    value: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """`catalog.yaml:12: plans[0].period: "moon" is not one of …; write month`."""
        where = f"{self.file}:{self.line}: " if self.line else (f"{self.file}: " if self.file else "")
        named = f"{self.field}: " if self.field else ""
        value = f"{self.value} " if self.value else ""
        return f"{where}{named}{value}{self.problem}; {self.remedy}"

    def to_json(self) -> dict[str, Any]:
        """The fields, as `--json` prints them."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem without its place in a file: at a path of the data."""

    loc: Loc
    problem: str
    remedy: str


def field_path(loc: Loc) -> str:
    """`("plans", 0, "key")` → `plans[0].key`."""
    path = ""
    for step in loc:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return path


def at(data: Any, loc: Loc) -> Any:
    """The value at a path, `None` where there is none."""
    for step in loc:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def shown(value: Any) -> str:
    """A value as a problem shows it: short, nothing for what is absent or whole structures without a key."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        name = value.get("key") or value.get("feature")
        return str(name)[:SHOWN_MAX] if isinstance(name, str) else ""
    if isinstance(value, list):
        return "" if value else "[]"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = re.sub(r"\s+", " ", text)
    return f'"{text}"' if len(text) <= SHOWN_MAX else f'"{text[: SHOWN_MAX - 1]}…"'


def findings(errors: Iterable[Any], data: Any, models: Mapping[int, type[BaseModel]]) -> list[Finding]:
    """The errors of a pydantic `ValidationError` over `data`. `models` are those that read its mappings, by id."""
    return [_finding(error, data, models) for error in errors]


def _finding(error: Any, data: Any, models: Mapping[int, type[BaseModel]]) -> Finding:
    kind, context = error["type"], error.get("ctx", {})
    loc, parent = _place(error["loc"], data, named=kind in ("missing", "extra_forbidden"))
    if kind == "wrong":
        return Finding((*loc, *context["at"]), context["problem"], context["remedy"])
    if kind == "missing":
        return Finding(loc, "is missing", _HINTS.get(str(loc[-1]), f"add {loc[-1]}"))
    if kind == "extra_forbidden":
        return Finding(loc, "is no field here", _meant(str(loc[-1]), models.get(id(parent))))
    if kind in ("literal_error", "union_tag_invalid"):
        allowed = re.findall(r"'([^']*)'", str(context.get("expected") or context.get("expected_tags")))
        if kind == "union_tag_invalid":
            loc = (*loc, "model")
        value = at(data, loc)
        meant = suggestion(str(value), allowed)
        remedy = f"did you mean {meant}?" if meant else f"write one of {', '.join(allowed)}"
        return Finding(loc, f"is not one of {', '.join(allowed)}" if meant else "is not known", remedy)
    if kind == "union_tag_not_found":
        if isinstance(at(data, loc), dict):
            return Finding((*loc, "model"), "is missing", _HINTS["model"])
        return Finding(loc, "is not a mapping", 'write fields, like {model: per_unit, unit_amount: "0.01"}')
    if kind in _FORMS:
        return Finding(loc, *_FORMS[kind])
    if kind == "too_long":
        return Finding(loc, f"has {context['actual_length']} items", f"keep at most {context['max_length']}")
    return Finding(loc, str(error["msg"])[:1].lower() + str(error["msg"])[1:], "correct it")


_FORMS = {
    "list_type": ("is not a list", "write a list, like [ … ]"),
    "dict_type": ("is not a mapping", "write fields, like {name: value}"),
    "model_type": ("is not a mapping", "write fields, like {name: value}"),
    "model_attributes_type": ("is not a mapping", "write fields, like {name: value}"),
    "too_short": ("is empty", "name at least one"),
}
_HINTS = {
    "key": "add a key like key: input-tokens",
    "version": "add version: 1",
    "effective_from": "add a time like effective_from: 2026-01-01T00:00:00Z",
    "currency": "add a code like currency: USD",
    "period": "add one of day, week, month, quarter, year",
    "aggregation": f"add one of {', '.join(get_args(Aggregation))}",
    "price": 'add a price like {model: per_unit, unit_amount: "0.01"}',
    "model": f"add one of {', '.join(MODELS)}",
    "up_to": "add a bound, or up_to: null in the last tier",
    "tiers": 'add tiers like [{up_to: null, unit_amount: "0.01"}]',
    "event_type": "add the type of the events that are read",
}


def _place(loc: Loc, data: Any, named: bool) -> tuple[Loc, Any]:
    """The path in the data that pydantic's location means (that has tags of unions in it), and its last mapping."""
    path: list[str | int] = []
    value, parent = data, data
    for index, step in enumerate(loc):
        inside = (isinstance(value, dict) and step in value) or (
            isinstance(value, list) and isinstance(step, int) and step < len(value)
        )
        if inside:
            parent, value = value, value[step]
            path.append(step)
        elif named and index == len(loc) - 1:
            parent = value
            path.append(step)
    return tuple(path), parent


def _meant(name: str, model: type[BaseModel] | None) -> str:
    known = field_names(model) if model is not None else []
    meant = suggestion(name, known)
    if meant:
        return f"did you mean {meant}?"
    return f"use one of {', '.join(known)}" if known else "remove it"
