"""Migrations are files in order, known by their content."""

from __future__ import annotations

from pathlib import Path

from sinks.clickhouse import tables
from sinks.clickhouse.migrate import migration, migrations

FOLDER = Path(__file__).parents[4] / "sinks" / "clickhouse" / "migrations"


def test_files_are_applied_in_the_order_of_their_numbers_without_a_gap() -> None:
    assert [each.number for each in migrations()] == list(range(1, len(list(FOLDER.glob("*.sql"))) + 1))


def test_statements_end_with_a_semicolon_and_an_empty_line() -> None:
    found = migration("0007_two.sql", "-- why\nCREATE a (x String);\n\nCREATE b;\n")
    assert found.number == 7
    assert found.statements == ("-- why\nCREATE a (x String)", "CREATE b")


def test_a_comment_is_part_of_the_checksum() -> None:
    assert migration("0001_a.sql", "A;").sha256 != migration("0001_a.sql", "-- b\nA;").sha256


def test_every_statement_may_run_twice() -> None:
    for each in migrations():
        for statement in each.statements:
            assert "IF NOT EXISTS" in statement or "OR REPLACE" in statement, statement[:80]


def test_every_column_of_a_record_is_in_its_table() -> None:
    """The definitions of rows and tables are two files: this keeps them one."""
    made = (FOLDER / "0001_tables.sql").read_text()
    wanted = {
        "charges_rows": {**tables.CHARGES, **tables.PLACE},
        "ledger_rows": {**tables.LEDGER, **tables.PLACE},
        "thresholds_rows": {**tables.THRESHOLDS, **tables.PLACE},
        "signals_rows": {**tables.SIGNALS, **tables.PLACE},
        "entitlements_rows": {**tables.ENTITLEMENT_KEY, **tables.ENTITLEMENTS, **tables.PLACE},
        "rejected_rows": tables.REJECTED,
        "usage_rows": tables.CORRECTED,
        "uncounted_rows": tables.UNCOUNTED,
        "errors_rows": tables.ERRORS,
    }
    for table, kinds in wanted.items():
        body = made.partition(f"TABLE IF NOT EXISTS {table} (\n")[2].partition("\n)")[0]
        columns = {line.split()[0]: line.split(maxsplit=1)[1] for line in body.splitlines()}
        assert set(columns) == set(kinds), table
        for name, kind in kinds.items():
            if kind.required and table != "entitlements_rows":
                assert "Nullable" not in columns[name], f"{table}.{name}"
            if not kind.required:
                assert "Nullable" in columns[name], f"{table}.{name}"
