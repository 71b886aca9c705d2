"""What the demo asks ClickHouse: for the lines that it read itself, and no others."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from streams.demo import warehouse
from streams.demo.outputs import Outputs
from streams.demo.processes import Children
from streams.demo.run import _compare
from streams.demo.tally import Tally
from streams.settings import Settings
from streams.settings_clickhouse import ClickHouse


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked; a ClickHouse answers that has three lines, 0.3 USD."""
    queries: list[str] = []

    def ask(server: ClickHouse, sql: str) -> list[list[str]]:
        queries.append(sql)
        return [["3", "0.3"]]

    monkeypatch.setattr(warehouse, "ask", ask)
    monkeypatch.setattr(warehouse, "wait_until_caught_up", lambda *_: True)
    return queries


def said(tmp_path: Path, lines: int, amount: str) -> str:
    """What the demo says of a topic of which it read so many lines."""
    outputs, tally, screen = object.__new__(Outputs), Tally(), Console(file=StringIO(), width=160)
    outputs.begin, outputs.last = {0: 5, 1: 0, 2: 4}, {0: 6, 1: 0}
    tally.lines = lines
    tally.amounts["pro", "large"] = Decimal(amount)
    _compare(Settings(home=tmp_path), outputs, Children(tmp_path), screen, tally)
    assert isinstance(screen.file, StringIO)
    return screen.file.getvalue()


def test_only_lines_that_were_read_are_compared_with_another_run_beside_it(
    asked: list[str], tmp_path: Path
) -> None:
    assert "3 charge lines, 0.300000 USD: the same as the topic, to the last digit" in said(
        tmp_path, 3, "0.3"
    )
    (query,) = asked
    assert query.endswith(
        " WHERE (_partition = 0 AND _offset BETWEEN 5 AND 6) OR (_partition = 1 AND _offset BETWEEN 0 AND 0)"
    )


def test_a_difference_is_told_with_both_sides(asked: list[str], tmp_path: Path) -> None:
    assert "3 charge lines, 0.300000 USD: the topic has 3, 0.4 USD" in said(tmp_path, 3, "0.4")


def test_where_nothing_was_read_nothing_is_asked(asked: list[str]) -> None:
    assert warehouse.charged(Settings().clickhouse, {0: 5}, {}) == (0, Decimal(0))
    assert asked == []
