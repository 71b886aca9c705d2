"""The price models: one file each, one registry. `README.md` shows how to add one.

>>> price = price_of({"model": "per_unit", "unit_amount": "0.000002"})
>>> price.total(374 * 10**12) == 748 * 10**30
True
"""

from __future__ import annotations

from collections.abc import Callable

from rating.errors import PriceError
from rating.numbers import shown
from rating.prices.dynamic import Dynamic
from rating.prices.event_tiers import EventTiers
from rating.prices.fields import Doc, choice
from rating.prices.flat import Flat
from rating.prices.graduated import Graduated, GraduatedPercentage
from rating.prices.matrix import UNPRICED, Matrix, Unpriced
from rating.prices.package import Package
from rating.prices.part import Part, differences, merged
from rating.prices.per_unit import PerUnit
from rating.prices.percentage import Percentage
from rating.prices.protocol import Kind, PricedEvent, QuantityPrice
from rating.prices.scheduled import Scheduled
from rating.prices.stairstep import Stairstep
from rating.prices.volume import Volume

__all__ = [
    "MODELS", "UNPRICED", "CurvePrice", "Dynamic", "EntryPrice", "EventTiers", "Flat", "Graduated",
    "GraduatedPercentage", "Kind", "Matrix", "Package", "Part", "PerUnit", "Percentage", "Price",
    "PricedEvent", "QuantityPrice", "Scheduled", "Stairstep", "Unpriced", "Volume", "differences",
    "merged", "price_of",
]  # fmt: skip

CurvePrice = Flat | PerUnit | Graduated | Volume | Stairstep | Package
EntryPrice = CurvePrice | EventTiers | Percentage | Dynamic
Price = EntryPrice | Matrix | Scheduled[EntryPrice]


def price_of(doc: Doc, at: str = "price") -> Price:
    """The price of a document `{model: …}`; `at` is where it stands, for errors. Raises `PriceError`."""
    model = doc.get("model")
    read = MODELS.get(model) if isinstance(model, str) else None
    if read is None:
        raise PriceError(f"{at}.model is {shown(model)}: use one of {', '.join(MODELS)}")
    return read(doc, at)


def _tiered(curve: type[Graduated] | type[Volume]) -> Callable[[Doc, str], Price]:
    def read(doc: Doc, at: str) -> Price:
        if choice(doc, "scope", at, ("period", "event")) == "event":
            return EventTiers.from_doc(doc, at)
        if doc.get("tier_value") is not None:
            raise PriceError(f"{at}.tier_value needs {at}.scope: event")
        return curve.from_doc(doc, at)

    return read


def _scheduled(doc: Doc, at: str) -> Price:
    return Scheduled.from_doc(doc, at, _entry)


def _entry(doc: Doc, at: str) -> EntryPrice:
    price = price_of(doc, at)
    if isinstance(price, Matrix | Scheduled):
        raise PriceError(f"{at}.model is {shown(doc.get('model'))}: use another model in a schedule")
    return price


MODELS: dict[str, Callable[[Doc, str], Price]] = {
    "flat": Flat.from_doc,
    "per_unit": PerUnit.from_doc,
    "graduated": _tiered(Graduated),
    "volume": _tiered(Volume),
    "stairstep": Stairstep.from_doc,
    "package": Package.from_doc,
    "percentage": Percentage.from_doc,
    "graduated_percentage": GraduatedPercentage.from_doc,
    "dynamic": Dynamic.from_doc,
    "matrix": Matrix.from_doc,
    "scheduled": _scheduled,
}
