"""What `azotte tail` shows of each topic, and how it is laid out in a line."""

from __future__ import annotations

import shutil
import sys
from typing import Any

import msgspec

_COLUMNS: dict[str, tuple[tuple[str, int], ...]] = {
    "charges": (("time", 27), ("account", 14), ("charge", 12), ("amount", 14), ("quantity", 10), ("kind", 10), ("amount_due", 14), ("dimensions", 30)),
    "thresholds": (("time", 27), ("account", 14), ("limit", 14), ("threshold", 9), ("state", 9), ("value", 16)),
    "entitlements": (("time", 27), ("account", 14), ("feature", 14), ("access", 6), ("balance", 16), ("reason", 12)),
    "ledger": (("time", 27), ("account", 14), ("grant", 14), ("entry", 8), ("amount", 14), ("balance", 14), ("unit", 12)),
    "signals": (("time", 27), ("account", 14), ("rule", 16), ("kind", 9), ("state", 5), ("facts", 40)),
    "rejected": (("error", 17), ("stage", 9), ("error_detail", 90), ("origin_topic", 20), ("origin_offset", 13)),
    "catalog": (("tenant", 16), ("revision", 9), ("time", 27)),
    "events": (("time", 27), ("subject", 20), ("type", 16), ("id", 24), ("data", 60)),
    "commands": (("time", 27), ("account", 14), ("type", 16), ("id", 40)),
}  # fmt: skip
"""What is shown of each topic, and how wide: what matters most comes first, since a narrow terminal ends sooner."""
NUMBERS = frozenset({"amount", "quantity", "amount_due", "value", "balance", "threshold", "revision"})
"""Columns that are shown whole: a part of a number is another number."""
GAP = "  "
TEXT_MIN = 8
"""Characters of a text that are worth a column."""
UNBOUNDED = sys.maxsize
Columns = list[tuple[str, int]]


def room() -> int:
    """Characters of a line: a terminal's, and no end of them where there is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else UNBOUNDED


def columns_of(what: str, width: int) -> Columns:
    """The columns of a topic that `width` characters have room for; a text that comes last is cut to what is left."""
    columns: Columns = []
    for name, wide in _COLUMNS[what]:
        left = width - sum(each + len(GAP) for _, each in columns)
        if left < (wide if name in NUMBERS else min(wide, max(TEXT_MIN, len(name)))):
            break
        columns.append((name, min(wide, left)))
    return columns


def heading(columns: Columns) -> str:
    """The names over the columns."""
    return GAP.join(f"{column:<{width}}" for column, width in columns).rstrip()


def headers_of(message: Any) -> dict[str, str]:
    """A record's headers, as text."""
    return {name: (value or b"").decode("utf-8", "replace") for name, value in message.headers() or ()}


def row(message: Any, value: Any, what: str, columns: Columns) -> str:
    """A record in these columns; what is rejected is in its headers."""
    said = headers_of(message) if what == "rejected" else value
    fields = said if isinstance(said, dict) else {}
    cells = []
    for column, width in columns:
        found = fields.get(column)
        text = (
            found if isinstance(found, str) else "" if found is None else msgspec.json.encode(found).decode()
        )
        whole = len(text) <= width or column in NUMBERS
        cells.append(f"{text if whole else text[: width - 1] + '…':<{width}}")
    return GAP.join(cells).rstrip()
