"""What ClickHouse does not take is tried again where that can help, and told in a sentence where it cannot."""

from __future__ import annotations

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    DatabaseError,
    DataError,
    OperationalError,
    ProgrammingError,
)  # fmt: skip

from sinks.clickhouse import client
from sinks.clickhouse.tables import Insert


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OperationalError("Error HTTPConnectionPool(host='x', port=1)"), True),
        (ConnectionResetError("reset"), True),
        (DatabaseError("502 Bad Gateway"), True),
        (DatabaseError("too many parts", code=252), True),
        (DatabaseError("memory", code=241), True),
        (DatabaseError("too many queries", code=202), True),
        (DatabaseError("no such table", code=60), False),
        (DatabaseError("wrong password", code=516), False),
        (DatabaseError("type mismatch", code=53), False),
        (DataError("cannot be written"), False),
        (ProgrammingError("bad arguments"), False),
        (ValueError("ours"), False),
    ],
)
def test_only_what_may_be_gone_the_next_time_is_tried_again(error: Exception, passes: bool) -> None:
    assert client.can_pass(error) is passes


def test_pauses_double_up_to_the_longest_and_every_failure_is_told() -> None:
    failures = [OperationalError("down")] * 5
    waited: list[float] = []
    told: list[str] = []

    def act() -> None:
        if failures:
            raise failures.pop()

    def pause(seconds: float) -> bool:
        waited.append(seconds)
        return True

    assert client.persist(act, pause, 1.0, told.append)
    assert waited == [0.2, 0.4, 0.8, 1.0, 1.0]
    assert told == ["down"] * 5


def test_a_stop_ends_the_trying() -> None:
    def act() -> None:
        raise OperationalError("down")

    assert not client.persist(act, lambda seconds: False, 1.0, lambda words: None)


def test_what_stays_is_raised_at_once() -> None:
    def act() -> None:
        raise DatabaseError("no such table", code=60)

    with pytest.raises(ClickHouseError, match="no such table"):
        client.persist(act, lambda seconds: True, 1.0, lambda words: None)


def test_a_password_shows_nowhere() -> None:
    assert "hush" not in repr(client.Server("host", 8123, "me", "hush", False, "azotte"))


def test_errors_are_in_the_words_of_clickhouse() -> None:
    raw = "Received ClickHouse exception, code: 60, server response: Code: 60. DB::Exception: Table a.b\n does not exist. (UNKNOWN_TABLE) (for url http://127.0.0.1:8123)"
    assert client.sentence(DatabaseError(raw, code=60)) == "Table a.b does not exist. (UNKNOWN_TABLE)"
    assert client.sentence(OperationalError("Error HTTPConnectionPool(host=…")) == "no connection"


def test_large_rows_are_inserted_in_blocks() -> None:
    class Blocks:
        def __init__(self) -> None:
            self.sizes: list[int] = []

        def insert_arrow(self, table: str, rows: pa.Table, settings: dict[str, int]) -> None:
            assert table == "t"
            self.sizes.append(rows.num_rows)

    blocks = Blocks()
    client.insert(blocks, Insert("t", pa.table({"a": list(range(25))})), 10)  # type: ignore[arg-type]
    assert blocks.sizes == [10, 10, 5]
