"""The canonical form of a catalog: plain JSON values, one form for one meaning.

Defaults are left out, decimals are plain text, times RFC 3339 with microseconds, allowed values are sorted lists. An
override keeps exactly what it names, null included (it takes a field away). This is what stands on `billing.catalog.v1`
and in the log, what the kernel compiles, and what "the same content" means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from schemas.catalog.plans import Part


def canonical(model: BaseModel) -> dict[str, Any]:
    """The plain dict of a checked model, its fields in the order of the model."""
    sparse = isinstance(model, Part)
    result: dict[str, Any] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        kept = name in model.model_fields_set if sparse else field.is_required() or value != field.default
        if kept and not (value is None and not sparse and not field.is_required()):
            result[field.alias or name] = plain(value)
    return result


def plain(value: Any) -> Any:
    """A value of a checked model as plain JSON."""
    if isinstance(value, BaseModel):
        return canonical(value)
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def same_content(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two canonical documents (or parts of them) mean the same; the order of fields does not count."""
    return a == b
