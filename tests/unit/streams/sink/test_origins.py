"""The database belongs to topics, not to names: a topic that is made anew stops the sink before it inserts."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError

from streams.kafka import Stop
from streams.sink import origins as module
from streams.sink.origins import Origins
from tests.unit.streams.fakes import settings
from tests.unit.streams.kafka_errors import AWAY, raised

NAMES = {"p.billing.charges.v1": "billing.charges.v1", "p.billing.ledger.v1": "billing.ledger.v1"}
CHARGES, LEDGER = NAMES
MISSING = raised(KafkaError.UNKNOWN_TOPIC_OR_PART)


class Topics:
    """The identities of topics, as the broker says them now; an exception is what it says instead."""

    def __init__(self) -> None:
        self.ids: dict[str, Any] = {CHARGES: "one", LEDGER: "two"}

    def describe_topics(self, asked: Any, **options: Any) -> dict[str, Any]:
        found = {}
        for name, uuid in self.ids.items():
            future: Future[Any] = Future()
            if isinstance(uuid, Exception):
                future.set_exception(uuid)
            else:
                future.set_result(SimpleNamespace(topic_id=uuid))
            found[name] = future
        return found


class Database:
    """The table of topics."""

    def __init__(self, *rows: tuple[str, str, str]) -> None:
        self.rows = list(rows)

    def query(self, text: str) -> Any:
        return SimpleNamespace(result_rows=list(self.rows))

    def insert(self, table: str, rows: Any, column_names: Any) -> None:
        self.rows += [tuple(row) for row in rows]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Topics:
    found = Topics()
    monkeypatch.setattr(module, "AdminClient", lambda config: found)
    return found


def claimed(database: Any) -> Origins:
    found = Origins(settings(), NAMES)
    found.claim(database)
    return found


def test_a_new_database_notes_its_topics_once(broker: Topics) -> None:
    database = Database()
    claimed(database)
    claimed(database).check()
    assert database.rows == [("billing.charges.v1", CHARGES, "one"), ("billing.ledger.v1", LEDGER, "two")]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([("billing.charges.v1", CHARGES, "older")], "was deleted and made anew"),
        ([("billing.charges.v1", "q.billing.charges.v1", "one")], "holds the rows of topic q.billing.charges.v1"),
    ],
)  # fmt: skip
def test_rows_of_another_topic_stop_it(broker: Topics, rows: Any, told: str) -> None:
    database = Database(*rows)
    with pytest.raises(Stop, match=told):
        claimed(database)
    assert database.rows == rows


def test_a_topic_that_is_made_anew_under_way_stops_it(broker: Topics) -> None:
    found = claimed(Database())
    broker.ids[LEDGER] = "three"
    with pytest.raises(Stop, match="use another database, or drop this one"):
        found.check()


def test_a_missing_topic_is_told_and_a_broker_that_is_away_is_not_a_missing_topic(broker: Topics) -> None:
    found = claimed(Database())
    broker.ids[CHARGES] = MISSING
    with pytest.raises(Stop, match="run azotte up"):
        found.check()
    broker.ids[CHARGES] = AWAY
    with pytest.raises(type(AWAY)):
        found.check()
