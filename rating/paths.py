"""Paths into an event: `$.a.b` names a member of its `data`, `$subject` its subject, `$subject.team` a group of that.

>>> read = getter("$.usage.tokens")
>>> read({"usage": {"tokens": 7}}, "user-1", {})
7
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

DEPTH_MAX = 8
PATH = re.compile(
    r"\$(?:\.[A-Za-z_][A-Za-z0-9_-]{0,62}){1,8}|\$subject(?:\.[a-z][a-z0-9_-]{0,62})?", re.ASCII
)
Data = Mapping[str, Any]
Groups = Mapping[str, str]
Getter = Callable[[Data, str, Groups], Any]
"""`(data, subject, the subject's groups)` → the value there, `None` where there is none."""


def getter(path: str) -> Getter:
    """The function that reads a path. A group that the subject is not in reads as the empty text: it has none.

    Raises `ValueError` for a text that is no path; the catalog was checked.
    """
    if PATH.fullmatch(path) is None:
        raise ValueError(f"{path!r} is not a path like $.model or $subject.team")
    head, *names = path.split(".")
    if head == "$subject":
        return _group(names[0]) if names else _subject
    return _member(names[0]) if len(names) == 1 else _nested(names)


def member(path: str) -> str | None:
    """The name of a path that is a plain member of `data`, `None` for another."""
    head, *names = path.split(".")
    return names[0] if head == "$" and len(names) == 1 else None


def _subject(data: Data, subject: str, groups: Groups) -> Any:
    return subject


def _group(name: str) -> Getter:
    return lambda data, subject, groups: groups.get(name, "")


def _member(name: str) -> Getter:
    return lambda data, subject, groups: data.get(name)


def _nested(names: list[str]) -> Getter:
    def read(data: Data, subject: str, groups: Groups) -> Any:
        value: Any = data
        for name in names:
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value

    return read
