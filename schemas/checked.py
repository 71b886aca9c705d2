"""Data checked against a model: the model, or what is wrong with it in one text, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from schemas.catalog.problems import at, field_path, findings, shown

PROBLEMS_SHOWN_MAX = 5
Checked = TypeVar("Checked", bound=BaseModel)


def checked(model: type[Checked], data: dict[str, Any]) -> Checked | str:
    """`data` as the model reads it, or a sentence a problem."""
    models: dict[int, type[BaseModel]] = {}
    try:
        return model.model_validate(data, context=models)
    except ValidationError as error:
        found = findings(error.errors(include_url=False, include_input=False), data, models)
        texts = []
        for each in found:
            value = shown(at(data, each.loc))
            named = f"{field_path(each.loc)}: " if each.loc else ""
            texts.append(f"{named}{value + ' ' if value else ''}{each.problem}; {each.remedy}")
        return joined(texts)


def joined(texts: Sequence[str]) -> str:
    """Some of them, and how many there are more."""
    more = len(texts) - PROBLEMS_SHOWN_MAX
    return " | ".join(texts[:PROBLEMS_SHOWN_MAX]) + (f" | and {more} more" if more > 0 else "")
