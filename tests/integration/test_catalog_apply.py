"""`azotte catalog apply` on a real broker: the command goes out, and it returns with the revision or the refusal.

The part of CONTROL is played here, with its own functions, so that the test needs no worker.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from rating.catalog import conflicts, publish, revision_value
from schemas import topics
from schemas.commands import ParsedCommand, parse_command
from streams.cli import main
from tests.unit.schemas.catalog.broken import GOOD

CREATED_S = 20


class Control(threading.Thread):
    """Puts catalogs in force, one transaction each, as a worker's control stage does; refuses what it is told to."""

    def __init__(self, servers: str, prefix: str) -> None:
        super().__init__(daemon=True)
        self.refuse: str | None = None
        self.commands = 0
        self._stop_asked = threading.Event()
        self._prefix = prefix
        self._doc: dict[str, Any] | None = None
        self._revision = 0
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": prefix,
                "auto.offset.reset": "earliest",
                "log_level": 0,
            }
        )
        self._consumer.subscribe([prefix + topics.COMMANDS.name])
        self._producer = Producer({"bootstrap.servers": servers, "transactional.id": prefix, "log_level": 0})

    def run(self) -> None:
        self._producer.init_transactions()
        while not self._stop_asked.is_set():
            message = self._consumer.poll(0.1)
            if message is None or message.error():
                continue
            self.commands += 1
            value = message.value()
            command = parse_command(value)
            assert isinstance(command, ParsedCommand), command
            self._producer.begin_transaction()
            if self.refuse is not None:
                headers = [
                    ("error", b"bad_command"),
                    ("error_detail", self.refuse.encode()),
                    ("stage", b"control"),
                ]
                self._producer.produce(
                    self._prefix + topics.REJECTED.name, value, message.key(), headers=headers
                )
            else:
                self._put_in_force(command)
            self._producer.commit_transaction()

    def _put_in_force(self, command: ParsedCommand) -> None:
        new = command.fields["catalog"]
        assert conflicts(self._doc, new) == []
        self._doc, self._revision = publish(self._doc, new), self._revision + 1
        record = revision_value(
            command.tenant, self._revision, "2026-01-01T00:00:00.000000Z", command.id, self._doc
        )
        key = f"{command.tenant}/{self._revision}"
        self._producer.produce(self._prefix + topics.CATALOG.name, json.dumps(record).encode(), key)

    def stop(self) -> None:
        if not self._stop_asked.is_set():
            self._stop_asked.set()
            self.join()
            self._consumer.close()


@pytest.fixture
def control(kafka: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    prefix = f"apply-{uuid.uuid4().hex[:8]}."
    monkeypatch.setenv("AZOTTE_KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("AZOTTE_TOPIC_PREFIX", prefix)
    admin = AdminClient({"bootstrap.servers": kafka})
    names = [prefix + topic.name for topic in (topics.COMMANDS, topics.CATALOG, topics.REJECTED)]
    for created in admin.create_topics([NewTopic(name, 1) for name in names]).values():
        created.result(CREATED_S)
    player = Control(kafka, prefix)
    player.start()
    yield player
    player.stop()


def apply(
    capsys: pytest.CaptureFixture[str], path: Path, text: str, *options: str
) -> tuple[object, str, str]:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["catalog", "apply", str(path), "--tenant", "acme", *options])
    return ended.value.code, *capsys.readouterr()


def test_a_catalog_is_applied_once_changed_and_refused(
    control: Control, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "catalog.yaml"
    code, out, _ = apply(capsys, path, GOOD, "--json", "--id", "first")
    assert (code, json.loads(out)) == (0, {"tenant": "acme", "revision": 1, "command": "first", "new": True})

    code, out, _ = apply(capsys, path, GOOD.replace("31.00", '"31"'))
    assert (code, out) == (0, "revision 1 of tenant acme has this content already: nothing was published\n")
    assert control.commands == 1

    code, out, err = apply(capsys, path, GOOD.replace("31.00", "32"))
    assert (code, out) == (1, "")
    assert "plans[0]: pro version 1 is published with other content, which never changes" in err
    assert control.commands == 1

    code, out, _ = apply(capsys, path, GOOD.replace("hold: 1h", "hold: 2h"))
    assert (code, out.partition(":")[0]) == (0, "revision 2 of tenant acme is published")

    control.refuse = "not today"
    code, _, err = apply(capsys, path, GOOD)
    assert (code, err) == (1, "azotte: the catalog was refused: not today\n")

    with pytest.raises(SystemExit) as ended:
        main(["catalog", "show", "--tenant", "acme", "--json"])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["rules"][0]["hold"] == "2h"
    with pytest.raises(SystemExit):
        main(["catalog", "diff", str(path), "--tenant", "acme"])
    assert capsys.readouterr().out == '~ rule nudge: hold: "2h" -> "1h"\n'


def test_without_a_worker_apply_says_what_to_start(
    control: Control, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    control.stop()
    code, _, err = apply(capsys, tmp_path / "catalog.yaml", GOOD, "--wait", "2", "--id", "c1")
    assert (code, err) == (
        1,
        "azotte: command c1 was sent, but no revision came within 2 s: start `azotte worker`, which puts it in force\n",
    )
