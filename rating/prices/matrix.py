"""`matrix`: a unit amount by the group's dimensions.

Of the cells that hold a group the one that names most dimensions wins, of equals the one that lists fewer
values, then the first. A group that no cell holds takes the default; where there is none, nothing prices it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Self

from rating.errors import PriceError
from rating.numbers import shown
from rating.prices.fields import Doc, document, documents, number, optional, unit_factor
from rating.prices.part import Part
from rating.prices.per_unit import PerUnit
from rating.prices.protocol import Curve, Kind, QuantityPrice


class Cell(NamedTuple):
    """`when` maps a dimension to its allowed values."""

    when: Mapping[str, frozenset[str]]
    price: PerUnit


@dataclass(frozen=True, slots=True)
class Matrix:
    """`cells` stand in the order in which they win."""

    kind: ClassVar[Kind] = "quantity"
    dimensions: tuple[str, ...]
    cells: tuple[Cell, ...]
    default: PerUnit | None

    @classmethod
    def from_doc(cls, doc: Doc, at: str = "price") -> Self:
        names = doc.get("dimensions")
        if (
            not isinstance(names, list | tuple)
            or not names
            or not all(isinstance(name, str) for name in names)
        ):
            raise PriceError(f"{at}.dimensions is {shown(names)}: it must be a list of names")
        default = optional(doc, "default", at, unit_factor)
        rows = documents(doc, "cells", at) if doc.get("cells") else []
        cells = [_cell(row, tuple(names), f"{at}.cells[{index}]") for index, row in enumerate(rows)]
        if not cells and default is None:
            raise PriceError(f"{at} has neither cells nor a default: it prices nothing")
        cells.sort(key=_precedence)
        return cls(tuple(names), tuple(cells), None if default is None else PerUnit.of(default))

    def curve_of(self, dimensions: Mapping[str, str]) -> QuantityPrice | None:
        """The price of a group, or `None` where nothing prices it."""
        for cell in self.cells:
            if all(dimensions.get(name) in values for name, values in cell.when.items()):
                return cell.price
        return self.default

    def total(self, q: int) -> int:
        """Without dimensions: the default. `curve_of` is the way to price a group."""
        return (self.curve_of({}) or UNPRICED).total(q)

    def parts(self, q: int) -> tuple[Part, ...]:
        return (self.curve_of({}) or UNPRICED).parts(q)


class Unpriced(Curve):
    """Prices a group that no cell holds at 0, and says so."""

    __slots__ = ()

    def total(self, q: int) -> int:
        return 0

    def parts(self, q: int) -> tuple[Part, ...]:
        return (Part(None, q, None, 0, unpriced=True),) if q > 0 else ()


UNPRICED = Unpriced()


def _cell(row: Doc, names: tuple[str, ...], at: str) -> Cell:
    when: dict[str, frozenset[str]] = {}
    for name, value in document(row.get("when"), f"{at}.when").items():
        if name not in names:
            raise PriceError(f"{at}.when names {shown(name)}, which is not among the price's dimensions")
        values = value if isinstance(value, list | tuple) else [value]
        if not values:
            raise PriceError(f"{at}.when.{name} is empty: list at least one value")
        when[name] = frozenset(map(dimension_text, values))
    return Cell(when, PerUnit.of(number(row, "unit_amount", at, unit_factor)))


def dimension_text(value: object) -> str:
    """The text of a dimension's value: JSON's own for booleans, nothing for null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _precedence(cell: Cell) -> tuple[int, int]:
    return -len(cell.when), sum(map(len, cell.when.values()))
