"""What the meters of a catalog read from an event: exact values in the meter's unit, and its dimensions.

Called once an event, so everything that a catalog fixes is resolved when it loads: paths to functions, factors to
integers, and meters of one event type that share filter and dimensions to one group that reads those once.

Rules, in this order for each meter:
- A filter that does not match, for want of the property too: the meter does not see the event.
- `group_by` values are scalars, taken as text (numbers plainly, `true`, `false`). A property of `data` that is absent
  or null is `missing_attribute`; a group that the subject is not in is the empty text.
- The value is a JSON number or a text that holds one. Absent or null is `missing_attribute`; anything else, more than 12
  fractional digits after the factor, or more than 18 integer digits is `bad_value`. `count` reads no value; `unique`
  takes any scalar, as text.
One meter that fails rejects the whole event, so no event is ever counted in part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from rating import numbers
from rating.catalog.catalog import Catalog
from rating.catalog.meters import Filter, Meter, MeterSource
from rating.errors import NumberError
from rating.numbers import QTY, shown
from rating.paths import Data, Getter, Groups, getter, member

TEXT_MAX = 512
"""Characters of a dimension or of a value of a `unique` meter: each is a key of state."""
_INT_MAX = 10**numbers.INTEGER_DIGITS_MAX
_WIDE_DIGITS = 24
"""Digits that a value may have on both sides before its factor: the product decides."""
_NO_GROUPS: Groups = {}


class Reading(NamedTuple):
    """What one meter reads in one event. `value` is an `int` where it is integral, else decimal text (any text for
    `unique`); `dims` stand in the order of the meter's `dimensions`."""

    meter: str
    value: int | str
    dims: tuple[str, ...]


class BadUsage(NamedTuple):
    """Why an event cannot be used: `missing_attribute` or `bad_value`, and a sentence."""

    code: str
    detail: str


class _Unreadable(Exception):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.usage = BadUsage(code, detail)


ReadValue = Callable[[Data, str, Groups], int | str]
Matching = tuple[Getter, frozenset[str]]
Dimension = tuple[str, Getter]


class _Group(NamedTuple):
    """Meters that share filter and dimensions. `members` are the dimensions' names in `data` where all are plain
    members; a meter's is the name of its value where that needs no factor: then the common case is a few look-ups."""

    matching: tuple[Matching, ...]
    dimensions: tuple[Dimension, ...]
    members: tuple[str, ...] | None
    meters: tuple[tuple[str, str | None, ReadValue], ...]


class Metering:
    """The compiled meters of one catalog revision."""

    def __init__(self, catalog: Catalog) -> None:
        self._groups = {kind: _groups(sources) for kind, sources in catalog.sources_by_type.items()}

    def reads(self, event_type: str) -> bool:
        """Whether any meter reads events of this type."""
        return event_type in self._groups

    def measure(
        self, event_type: str, data: Data, subject: str = "", groups: Groups = _NO_GROUPS
    ) -> tuple[Reading, ...] | BadUsage:
        """The readings of one event, at most one a meter; none where no meter sees it.

        Numbers in `data` are `int` or `Decimal`: a `float` has lost its literal text and is `bad_value`.
        """
        found = self._groups.get(event_type)
        if found is None:
            return ()
        readings: list[Reading] = []
        try:
            for matching, dimensions, members, meters in found:
                if matching and not _matches(matching, data, subject, groups):
                    continue
                dims = _plain_texts(members, data) if members is not None else None
                if dims is None:
                    dims = tuple([_dimension(name, read(data, subject, groups)) for name, read in dimensions])
                for key, name, read_value in meters:
                    value = data.get(name) if name is not None else None
                    if type(value) is not int or not -_INT_MAX < value < _INT_MAX:
                        value = read_value(data, subject, groups)
                    readings.append(_new(Reading, (key, value, dims)))
        except _Unreadable as unreadable:
            return unreadable.usage
        return tuple(readings)


_new = tuple.__new__


def _plain_texts(members: tuple[str, ...], data: Data) -> tuple[str, ...] | None:
    values = []
    for name in members:
        value = data.get(name)
        if type(value) is not str or len(value) > TEXT_MAX:
            return None
        values.append(value)
    return tuple(values)


def _groups(sources: tuple[MeterSource, ...]) -> tuple[_Group, ...]:
    shared: dict[tuple[Filter, tuple[tuple[str, str], ...]], list[tuple[str, str | None, ReadValue]]] = {}
    for source in sources:
        meter = (source.meter.key, _direct(source), _value(source))
        shared.setdefault((source.filter, source.group_by), []).append(meter)
    groups = []
    for (filters, group_by), meters in shared.items():
        matching = tuple((getter(path), frozenset(allowed)) for path, allowed in filters)
        members = [member(path) for _, path in group_by]
        plain = tuple(name for name in members if name is not None)
        groups.append(
            _Group(
                matching,
                tuple((name, getter(path)) for name, path in group_by),
                plain if len(plain) == len(members) else None,
                tuple(meters),
            )
        )
    return tuple(groups)


def _direct(source: MeterSource) -> str | None:
    numeric = source.meter.aggregation not in ("count", "unique")
    unconverted = source.multiply == QTY and source.units is None
    return member(source.value) if numeric and unconverted and source.value is not None else None


def _matches(matching: tuple[Matching, ...], data: Data, subject: str, groups: Groups) -> bool:
    for read, allowed in matching:
        value = read(data, subject, groups)
        if value not in allowed if type(value) is str else scalar_text(value) not in allowed:
            return False
    return True


def _dimension(name: str, value: Any) -> str:
    if type(value) is str and len(value) <= TEXT_MAX:
        return value
    if value is None:
        raise _Unreadable("missing_attribute", f"data has no {name}, which a meter groups by")
    text = scalar_text(value)
    if text is None:
        raise _Unreadable("bad_value", f"{name} is {shown(value)}: a dimension is a text, number or boolean "
                          f"of at most {TEXT_MAX} characters")  # fmt: skip
    return text


def scalar_text(value: Any) -> str | None:
    """A scalar's text, the same however it was encoded: `1`, `1.0` and `1e0` are `1`. `None` for anything else."""
    if isinstance(value, str):
        return value if len(value) <= TEXT_MAX else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        try:
            return numbers.text(numbers.scaled(value, _WIDE_DIGITS, _WIDE_DIGITS), _WIDE_DIGITS)
        except NumberError:
            return None
    return None


def _value(source: MeterSource) -> ReadValue:
    meter = source.meter
    if meter.aggregation == "count":
        return lambda data, subject, groups: 1
    assert source.value is not None, "a meter other than count has a value: the catalog was checked"
    read, path = getter(source.value), source.value
    if meter.aggregation == "unique":
        return lambda data, subject, groups: _distinct(meter, path, read(data, subject, groups))
    if source.units is not None:
        return _by_unit(meter, path, read, source.units[0], dict(source.units[1]))
    if source.multiply != QTY:
        return lambda data, subject, groups: _converted(
            meter, path, read(data, subject, groups), source.multiply
        )

    digits, integers = numbers.QTY_DIGITS, numbers.INTEGER_DIGITS_MAX
    return lambda data, subject, groups: _exact(
        _scaled(meter, path, read(data, subject, groups), digits, integers)
    )


def _distinct(meter: Meter, path: str, value: Any) -> str:
    text = None if value is None else scalar_text(value)
    if value is None:
        raise _missing(meter, path)
    if text is None:
        raise _Unreadable("bad_value", f"{path} is {shown(value)}: meter {meter.key} counts distinct texts, numbers "
                          f"and booleans of at most {TEXT_MAX} characters")  # fmt: skip
    return text


def _by_unit(meter: Meter, path: str, read: Getter, unit_path: str, factors: Mapping[str, int]) -> ReadValue:
    read_unit = getter(unit_path)

    def value(data: Data, subject: str, groups: Groups) -> int | str:
        unit = read_unit(data, subject, groups)
        if unit is None:
            raise _missing(meter, unit_path)
        factor = factors.get(unit) if isinstance(unit, str) else None
        if factor is None:
            raise _Unreadable("bad_value", f"{unit_path} is {shown(unit)}: meter {meter.key} has no factor for it, "
                              f"only for {', '.join(factors)}")  # fmt: skip
        return _converted(meter, path, read(data, subject, groups), factor)

    return value


def _converted(meter: Meter, path: str, value: Any, factor: int) -> int | str:
    wide = _scaled(meter, path, value, _WIDE_DIGITS, _WIDE_DIGITS)
    product, rest = divmod(wide * factor, 10**_WIDE_DIGITS)
    if rest:
        raise _Unreadable("bad_value", f"{path} is {shown(value)}: in {meter.unit or 'the unit'} of meter {meter.key} "
                          f"it has more than {numbers.QTY_DIGITS} fractional digits")  # fmt: skip
    if not -_INT_MAX * QTY < product < _INT_MAX * QTY:
        raise _Unreadable("bad_value", f"{path} is {shown(value)}: in {meter.unit or 'the unit'} of meter {meter.key} "
                          f"it has more than {numbers.INTEGER_DIGITS_MAX} integer digits")  # fmt: skip
    return _exact(product)


def _scaled(meter: Meter, path: str, value: Any, digits: int, integers: int) -> int:
    if value is None:
        raise _missing(meter, path)
    if isinstance(value, bool):
        raise _Unreadable("bad_value", f"{path} is {str(value).lower()}: meter {meter.key} needs a number")
    try:
        return numbers.scaled(value, digits, integers)
    except NumberError as error:
        raise _Unreadable("bad_value", f"{path}: {error}; meter {meter.key} needs an exact number") from None


def _exact(quantity: int) -> int | str:
    whole, rest = divmod(quantity, QTY)
    return numbers.quantity_text(quantity) if rest else whole


def _missing(meter: Meter, path: str) -> _Unreadable:
    return _Unreadable("missing_attribute", f"data has no {path}, which meter {meter.key} needs")
