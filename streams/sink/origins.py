"""Which topics the database's rows came from: a topic that was deleted and made anew has other offsets, so its records
would be taken for rows that are there."""

from __future__ import annotations

from collections.abc import Mapping

from clickhouse_connect.driver import Client
from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from streams.kafka import Stop, base
from streams.settings import Settings

ANSWER_S = 10


class Origins:
    """The identity of each topic, by its base name. Kafka gives every topic a UUID of its own when it is made."""

    def __init__(self, settings: Settings, names: Mapping[str, str]) -> None:
        """`names`: topics by their full names, each with its base name."""
        self._names = names
        self._admin = AdminClient(base(settings))
        self._database = settings.clickhouse.database
        self._known: dict[str, str] = {}

    def claim(self, client: Client) -> None:
        """Note new topics in the database. Raises `Stop` where it holds rows of others, and as `check` does."""
        query = "SELECT topic, name, uuid FROM sink_topics FINAL"
        held = {topic: (name, uuid) for topic, name, uuid in client.query(query).result_rows}
        found = self._asked()
        for name, topic in self._names.items():
            known, uuid = held.get(topic, (name, found[name]))
            if known != name:
                raise Stop(
                    f"sink: database {self._database} holds the rows of topic {known}, not of {name}: a deployment has a"
                    " database of its own, name another one in AZOTTE_CLICKHOUSE_URL"
                )
            self._same(name, uuid, found[name])
        new = [[topic, name, found[name]] for name, topic in self._names.items() if topic not in held]
        if new:
            client.insert("sink_topics", new, column_names=["topic", "name", "uuid"])
        self._known = found

    def check(self) -> None:
        """Raise `Stop` where a topic is not the one that was claimed, `KafkaException` where the broker is away.

        Asked after a batch was read and before it is inserted: a topic that is the same then was so when it was read.
        """
        for name, uuid in self._asked().items():
            self._same(name, self._known[name], uuid)

    def _same(self, name: str, known: str, found: str) -> None:
        if known != found:
            raise Stop(
                f"sink: topic {name} was deleted and made anew, but database {self._database} holds rows of the old one:"
                " use another database, or drop this one"
            )

    def _asked(self) -> dict[str, str]:
        futures = self._admin.describe_topics(TopicCollection(list(self._names)), request_timeout=ANSWER_S)
        found: dict[str, str] = {}
        for name, future in futures.items():
            try:
                found[name] = str(future.result(ANSWER_S + 5).topic_id)
            except KafkaException as error:
                if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise Stop(
                        f"sink: topic {name} is missing: run azotte up, or make it as docs/architecture.md says"
                    ) from None
                raise
        return found
