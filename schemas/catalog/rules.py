"""Rules: signals about an account, from facts."""

from __future__ import annotations

import re
import typing
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from rating.times import DAY, parse_duration
from schemas.catalog.base import Literal, Model, suggestion, wrong
from schemas.catalog.scalars import Key, Scalars, Unit, decimal, duration, scalar

FACTS: dict[str, tuple[str, ...]] = {
    "usage": ("meter", "filter", "over"),
    "spend": ("charge", "meter", "filter", "over"),
    "growth": ("meter", "charge", "filter", "over"),
    "included_percent": ("feature",),
    "overage": ("feature",),
    "balance": ("unit",),
    "breaches": ("limit", "over"),
    "idle": (),
    "age": (),
    "trial_left": (),
    "trials": ("plan",),
    "plan": (),
    "status": (),
    "storefront": (),
    "region": (),
    "channel": (),
}
"""Facts and the fields that each takes; `metadata.<key>` is one too, without fields."""
_REQUIRED = {"usage": ("meter", "over"), "spend": ("over",), "growth": ("over",), "included_percent": ("feature",),
             "overage": ("feature",), "balance": ("unit",), "breaches": ("limit", "over")}  # fmt: skip
_TIMES = ("idle", "age", "trial_left")
_WORDS = ("plan", "status", "storefront", "region", "channel")
OVER_MAX = 366 * DAY
"""How far a window looks back: what counts in it is kept by the hour."""
COMPARISONS = ("eq", "in", "gt", "gte", "lt", "lte")
DEPTH_MAX = 3
METADATA = re.compile(r"metadata\.[!-.0-~]{1,64}", re.ASCII)


def _fact(value: object) -> str:
    if isinstance(value, str) and (value in FACTS or METADATA.fullmatch(value)):
        return str(value)
    meant = suggestion(str(value), FACTS)
    raise wrong(
        "is not a fact",
        f"did you mean {meant}?" if meant else f"use one of {', '.join(FACTS)}, metadata.<key>",
    )


def _over(value: object) -> str:
    return "period" if value == "period" else duration()(value)


class Condition(Model):
    """A fact and what it is compared with."""

    fact: Annotated[str, BeforeValidator(_fact)]
    meter: Key | None = None
    charge: Key | None = None
    feature: Key | None = None
    unit: Unit | None = None
    limit: Key | None = None
    plan: Key | None = None
    filter: Annotated[dict[Key, Scalars], Field(max_length=20)] = {}
    over: Annotated[str, BeforeValidator(_over)] | None = None
    eq: Annotated[str, BeforeValidator(scalar)] | None = None
    in_: Scalars | None = Field(alias="in", default=None)
    gt: Annotated[str, BeforeValidator(scalar)] | None = None
    gte: Annotated[str, BeforeValidator(scalar)] | None = None
    lt: Annotated[str, BeforeValidator(scalar)] | None = None
    lte: Annotated[str, BeforeValidator(scalar)] | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        given = [name for name in ("meter", "charge", "feature", "unit", "limit", "plan", "filter", "over")
                 if name in self.model_fields_set]  # fmt: skip
        for name in given:
            if name not in FACTS.get(self.fact, ()):
                raise wrong(f"is not taken by the fact {self.fact}", f"remove {name}", (name,))
        for needed in _REQUIRED.get(self.fact, ()):
            if getattr(self, needed) is None:
                raise wrong("is missing", f"add {needed}, which the fact {self.fact} needs", (needed,))
        compared = [
            name for name in COMPARISONS if getattr(self, "in_" if name == "in" else name) is not None
        ]
        if not compared:
            raise wrong("compares with nothing", f"add one of {', '.join(COMPARISONS)}")
        for comparison in compared:
            self._comparable(comparison)
        return self

    def _comparable(self, name: str) -> None:
        ordered = name in ("gt", "gte", "lt", "lte")
        if self.fact in _WORDS and ordered:
            raise wrong(f"orders the fact {self.fact}, which is a text", "use eq or in")
        if self.fact in _WORDS or (self.fact.startswith("metadata.") and not ordered):
            return
        read = duration(least=0) if self.fact in _TIMES else decimal(12, least=None)
        given = {(name, place): each for place, each in enumerate(self.in_ or ())}
        for at, value in (given if name == "in" else {(name,): getattr(self, name)}).items():
            try:
                read(value)
            except PydanticCustomError as error:
                told = error.context or {}
                raise wrong(told["problem"], told["remedy"], at) from None

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        back = 2 if self.fact == "growth" else 1
        if self.over not in (None, "period") and parse_duration(self.over) * back > OVER_MAX:
            raise wrong("is too long: it is counted by the hour",
                        f"write {366 // back}d or less, or period", ("over",))  # fmt: skip
        return self


class All(Model):
    """Holds when all of its conditions do."""

    all: Annotated[list[Node], Field(min_length=1, max_length=50)]


class Any_(Model):
    """Holds when one of its conditions does."""

    any: Annotated[list[Node], Field(min_length=1, max_length=50)]


class Not(Model):
    """Holds when none of its conditions does."""

    not_: Annotated[list[Node], Field(min_length=1, max_length=50, alias="not")]


def _form(value: object) -> str:
    for name, kind in (("all", All), ("any", Any_), ("not", Not)):
        if isinstance(value, kind) or (isinstance(value, dict) and name in value):
            return name
    return "condition"


Node = Annotated[
    Annotated[All, Tag("all")] | Annotated[Any_, Tag("any")] | Annotated[Not, Tag("not")]
    | Annotated[Condition, Tag("condition")],
    Discriminator(_form),
]  # fmt: skip
for _model in (All, Any_, Not):
    _model.model_rebuild()


def depth(node: Any) -> int:
    """How deep the conditions of a node are nested."""
    inner = getattr(node, "all", None) or getattr(node, "any", None) or getattr(node, "not_", None)
    return 0 if inner is None else 1 + max(depth(each) for each in inner)


def _plain(value: object, level: int = 0) -> Any:
    """JSON data that is copied into signals: whole numbers stay numbers, others are decimal text."""
    if level > 5:
        raise wrong("is nested more than five deep", "make it flatter")
    if isinstance(value, Literal):
        return int(value) if re.fullmatch(r"-?(0|[1-9][0-9]{0,14})", value) else scalar(value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int) and abs(value) < 10**15:
        return value
    if isinstance(value, dict) and len(value) <= 50:
        return {str(name): _plain(each, level + 1) for name, each in value.items()}
    if isinstance(value, list) and len(value) <= 50:
        return [_plain(each, level + 1) for each in value]
    return scalar(value)


class Rule(Model):
    """A signal that is on while `when` holds."""

    key: Key
    kind: typing.Literal["campaign", "trial", "upgrade", "downgrade", "retention", "custom"]
    when: Node
    hold: Annotated[str, BeforeValidator(duration(least=0))] = "0s"
    cool_down: Annotated[str, BeforeValidator(duration(least=0))] = "0s"
    data: Annotated[dict[str, Any], BeforeValidator(_plain)] = {}

    @model_validator(mode="after")
    def _shallow(self) -> Self:
        if depth(self.when) > DEPTH_MAX:
            raise wrong(f"nests its conditions more than {DEPTH_MAX} deep", "make two rules of it")
        return self
