"""`azotte tail` in a line: what a narrow terminal has room for, and numbers that are never cut."""

from __future__ import annotations

import pytest

from schemas import topics
from streams.cli.columns import NUMBERS, UNBOUNDED, columns_of, heading, row
from streams.cli.tail import Followed
from tests.unit.schemas.test_charges import LINE
from tests.unit.streams.fakes import Message

RECORD = Message(7, b"", topic=topics.CHARGES.name)


@pytest.mark.parametrize("what", Followed)
@pytest.mark.parametrize("width", [40, 80, 100, 120, 200])
def test_a_line_fits_the_terminal(what: str, width: int) -> None:
    columns = columns_of(what, width)
    assert columns
    assert len(heading(columns)) <= width
    assert sum(wide + 2 for _, wide in columns) - 2 <= width


def test_80_characters_show_who_owes_how_much_for_what() -> None:
    assert [name for name, _ in columns_of("charges", 80)] == ["time", "account", "charge", "amount"]
    assert [name for name, _ in columns_of("rejected", 80)] == ["error", "stage", "error_detail"]


def test_without_a_terminal_every_column_is_there() -> None:
    line = row(RECORD, LINE, "charges", columns_of("charges", UNBOUNDED))
    assert line.split() == [
        LINE["time"], LINE["account"], LINE["charge"], LINE["amount"], LINE["quantity"], LINE["kind"],
        LINE["amount_due"], '{"model":"large"}',
    ]  # fmt: skip


def test_a_text_is_cut_and_a_number_is_not() -> None:
    long = LINE | {"account": "a" * 40, "amount": "0.000000000000000000000000000000123456"}
    line = row(RECORD, long, "charges", columns_of("charges", 80))
    assert "a" * 13 + "…" in line
    assert long["amount"] in line
    assert {"amount", "amount_due", "quantity", "balance"} <= NUMBERS
