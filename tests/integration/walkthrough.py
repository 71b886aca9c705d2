"""A page that a test runs: files, commands with their answers, and webhooks that are to come, in the page's order.

    ```toml, ```yaml     azotte.toml, catalog.yaml, written where the commands run
    ```console           `$ ` and a command for the shell, then what it prints
    ```json              a webhook's body

`…` in what is expected stands for anything within a line or a text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

ANYTHING = "…"
FILES = {"toml": "azotte.toml", "yaml": "catalog.yaml"}


class Command(NamedTuple):
    """A line for the shell, and what it is to print."""

    line: str
    answer: str


Step = tuple[str, str] | Command | dict[str, Any]
"""A file's name and text, a command, or a webhook's body."""


def steps(page: Path) -> list[Step]:
    """What the page does, in order."""
    found: list[Step] = []
    for kind, text in re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        if kind in FILES:
            found.append((FILES[kind], text))
        elif kind == "json":
            found.append(json.loads(text))
        elif kind == "console":
            parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
            found += [Command(*part.partition("\n")[::2]) for part in parts]
    return found


def alike(wanted: Any, found: Any) -> bool:
    """Whether something is as the page has it."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and wanted.keys() == found.keys() and all(
            alike(each, found[name]) for name, each in wanted.items()
        )  # fmt: skip
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(alike, wanted, found))
    if isinstance(wanted, str) and ANYTHING in wanted:
        pattern = ".*".join(map(re.escape, wanted.split(ANYTHING)))
        return isinstance(found, str) and re.fullmatch(pattern, found) is not None
    return bool(wanted == found)
