"""The least of a history that still shows a difference: inputs, then parts of the catalog, are dropped while it stays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.auditor.lifecycle.words import Doc
from tests.auditor.lifecycle_cases import History

DROPPED = ("fees", "charges", "overrides", "convert", "included", "discount_percent", "minimum", "maximum", "commitment",
           "dimensions", "filter", "grace", "prorate", "bucket", "group_by", "timezone", "anchor", "conversion_rates")  # fmt: skip


def shrunk(case: History, differs: Callable[[History], bool]) -> History:
    """A history of which no input and no optional part of the catalog can be left out."""

    def still(smaller: History) -> bool:
        try:
            return differs(smaller)
        except (AssertionError, LookupError, ValueError):
            return False

    found = True
    while found:
        found = False
        for smaller in _smaller(case):
            if still(smaller):
                case, found = smaller, True
                break
    return case


def _smaller(case: History) -> Iterator[History]:
    count = len(case.inputs)
    for size in (count // 2, count // 4, 1):
        if size:
            for at in range(0, count, size):
                yield replace(case, inputs=case.inputs[:at] + case.inputs[at + size :])
    for changed in _less(case.catalog):
        yield replace(case, catalog=changed)


def _less(doc: Doc) -> Iterator[Doc]:
    for path in list(_paths(doc)):
        smaller = copy.deepcopy(doc)
        here: Any = smaller
        for step in path[:-1]:
            here = here[step]
        del here[path[-1]]
        yield smaller


def _paths(here: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """What may be left out: named fields, and items of the lists of plans, meters, charges and fees."""
    if isinstance(here, dict):
        for name, value in here.items():
            if name in DROPPED:
                yield (*path, name)
            if name in ("plans", "meters", "charges", "fees"):
                yield from ((*path, name, index) for index in range(len(value)))
            yield from _paths(value, (*path, name))
    elif isinstance(here, list):
        for index, value in enumerate(here):
            yield from _paths(value, (*path, index))
