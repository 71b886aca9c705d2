"""Settings that do not hold, told in one sentence: which one, from where, what is wrong, what to write instead."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rating.numbers import shown
from streams.durations import read_duration, show_duration

PREFIX = "AZOTTE_"
NOT_SETTINGS = frozenset({"AZOTTE_CONFIG"})
"""Variables with our prefix that are no fields: the settings file itself."""


class SettingsInvalid(Exception):
    """The settings cannot be used; the text is one sentence, fit to print, without secrets."""


def sentence(errors: Iterable[Any], fields: Mapping[str, Any], secrets: Collection[str], file: Path) -> str:
    """One sentence over the error entries of a pydantic `ValidationError`; `fields` are the model's."""
    return "; ".join(_explain(error, fields, secrets, file) for error in errors)


def _explain(error: Any, fields: Mapping[str, Any], secrets: Collection[str], file: Path) -> str:
    if not error["loc"]:
        return str(error["msg"]).removeprefix("Value error, ")
    name = str(error["loc"][0])
    if error["type"] == "extra_forbidden":
        return f"{file} has {name}, which is no setting{did_you_mean(name, fields)}"
    variable = PREFIX + name.upper()
    where = variable if os.environ.get(variable) else f"{name} in {file}"
    show = show_duration if is_duration(fields[name]) and isinstance(error["input"], int) else shown
    value = "" if name in secrets else f" {show(error['input'])}"
    return f"{where}{value} {wrong(error, show)}"


def wrong(error: Any, show: Callable[[Any], str]) -> str:
    """What is wrong with a value, from the error entry of a pydantic `ValidationError`: `is not a whole number`."""
    kind, context = error["type"], error.get("ctx", {})
    if (bound := _BOUNDS.get(kind)) is not None:
        return f"is {bound[1]} {show(context[bound[0]])}"
    if kind in _KINDS:
        return _KINDS[kind]
    if kind == "literal_error":
        return f"is not one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    message = str(error["msg"])
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    return "is wrong: " + message[:1].lower() + message[1:]


_BOUNDS = {"greater_than_equal": ("ge", "less than"), "less_than_equal": ("le", "more than")}
_KINDS = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "is not a whole number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "is neither true nor false"),
}


def is_duration(field: Any) -> bool:
    """Whether a field of the model is a duration."""
    return any(getattr(item, "func", None) is read_duration for item in field.metadata)


def unreadable(message: str) -> str:
    """A sentence about a value of the environment that is not the JSON that its field needs."""
    found = re.search(r'field "(\w+)"', message)
    name = PREFIX + found[1].upper() if found else "a setting of the environment"
    return f'{name} is not a JSON object: write it like {{"name": "value"}}'


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`; did you mean …?` where something known is close, else nothing."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f"; did you mean {close[0]}?" if close else ""


def misspelt_variable(fields: Iterable[str]) -> str | None:
    """A sentence about the first variable of the environment that looks like a setting's and is none."""
    known = {PREFIX + name.upper() for name in fields} | NOT_SETTINGS
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable not in known:
            close = get_close_matches(variable, sorted(known), n=1, cutoff=0.88)
            if close:
                return f"the environment has {variable}, which is no setting; did you mean {close[0]}?"
    return None
