"""Records as `tail` and the demo read them: JSON, Avro by its schema, and what is neither."""

from __future__ import annotations

import json
import uuid
from decimal import Decimal
from typing import Any, cast

import pytest
import typer

from schemas import topics
from schemas.charges import encoder
from schemas.registry import Memory, Schemas
from streams.cli.columns import UNBOUNDED, columns_of, row
from streams.cli.tail import _json, _value
from streams.cli.values import NoValue, value_of
from streams.demo.outputs import Outputs
from streams.demo.tally import Tally
from tests.unit.schemas.test_charges import LINE
from tests.unit.streams.fakes import Consumer, Message

CHARGES = topics.CHARGES.name
UNKNOWN = b"\x00\x00\x00\x00cx"


@pytest.fixture
def schemas() -> Schemas:
    return Memory(uuid.uuid4().hex)


def written(schemas: Schemas | None) -> Message:
    """The line on its topic, in Avro where there are schemas."""
    value = json.dumps(LINE).encode() if schemas is None else encoder(CHARGES, schemas)(LINE)
    return Message(7, value, topic=CHARGES)


def test_a_charge_line_reads_the_same_in_json_and_in_avro(schemas: Schemas) -> None:
    found = value_of(written(schemas), schemas)
    assert found == value_of(written(None), None) == LINE
    assert "cust-42" in row(written(schemas), found, "charges", columns_of("charges", UNBOUNDED))
    assert json.loads(_json(written(schemas), found))["value"] == LINE


def test_the_demo_counts_lines_in_avro(schemas: Schemas) -> None:
    outputs, tally = object.__new__(Outputs), Tally()
    outputs._charges, outputs._schemas, outputs.last = CHARGES, schemas, {}
    cast(Any, outputs)._consumer = Consumer([written(schemas)])
    outputs.read(tally, 0)
    assert (tally.lines, tally.due) == (1, Decimal("0.000748"))


@pytest.mark.parametrize("value", [b"no json", b"\xff\xfe", b"[" * 100_000])
def test_what_is_neither_is_text(value: bytes) -> None:
    assert value_of(Message(0, value), None) == value.decode("utf-8", "replace")


def test_a_tombstone_has_no_value() -> None:
    assert value_of(Message(0, None), None) is None


def test_avro_that_cannot_be_read_is_told_with_what_to_set(
    schemas: Schemas, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NoValue, match="set AZOTTE_SCHEMA_REGISTRY_URL or AZOTTE_SCHEMA_FOLDER"):
        value_of(written(schemas), None)
    with pytest.raises(NoValue, match="is Avro that cannot be read: schema 99"):
        value_of(Message(0, UNKNOWN), schemas)
    with pytest.raises(typer.Exit):
        _value(written(schemas), "charges", None)
    assert capsys.readouterr().err.startswith(f"azotte: {CHARGES} 0 at 7 is Avro: set ")


def test_what_producers_write_is_shown_whatever_it_is() -> None:
    assert _value(Message(0, UNKNOWN), "events", None) == UNKNOWN.decode()
