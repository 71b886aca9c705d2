"""A charge by itself, as a quote takes it: checked as in a catalog, but without key and meter."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from schemas.catalog.canonical import canonical
from schemas.catalog.plans import Charge
from schemas.catalog.problems import at, field_path, findings, shown

_UNNAMED = {"key": "quoted", "meter": "quoted"}


def checked_charge(charge: Any) -> dict[str, Any] | str:
    """The canonical document of a charge, or a sentence: field, value, problem and remedy of each slip."""
    if not isinstance(charge, dict):
        return f'charge: {shown(charge)} is no charge; write {{"price": {{"model": …}}}}'
    models: dict[int, type[BaseModel]] = {}
    item = {**_UNNAMED, **charge}
    try:
        return canonical(Charge.model_validate(item, context=models))
    except ValidationError as error:
        found = findings(error.errors(include_url=False, include_input=False), item, models)
    problems = []
    for each in found:
        value = shown(at(item, each.loc))
        problems.append(
            f"{field_path(('charge', *each.loc))}: {value}{' ' if value else ''}{each.problem}; {each.remedy}"
        )
    return " | ".join(problems)
