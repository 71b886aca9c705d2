"""What a row of the tables of broken catalogs is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

GOOD = (Path(__file__).parent / "good.yaml").read_text(encoding="utf-8")


class Broken(NamedTuple):
    """`old` stands once in `good.yaml`; with `new` in its place the first problem reads `told`."""

    old: str
    new: str
    told: str
    problems: int = 1
