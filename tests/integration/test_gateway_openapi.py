"""Every answer of a running gateway is one that its OpenAPI document has, whatever it is asked: schemathesis asks.

The paths of the document with values that it allows and values that it does not, with the key and without it.
"""

from __future__ import annotations

import pathlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from schemas import topics
from streams.gateway import openapi
from tests.integration.asking import Client, make_key
from tests.integration.fleet import Fleet
from tests.integration.test_gateway import know, put
from tests.unit.streams.gateway.gate import CATALOG, entitlement

CASES = 150
BEYOND_A_SCHEMA: dict[str, list[schemathesis.CheckFunction]] = {
    "/v1/events": [negative_data_rejection],
    "/api/v1/events": [positive_data_acceptance],
}
"""An event that cannot be used is told of in its own result; and whether it can be rests on the key and the clock, too."""
DOCUMENT = schemathesis.openapi.from_dict(openapi.document())


@pytest.fixture(scope="module")
def gateway(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A gateway that knows one account."""
    folder: pathlib.Path = tmp_path_factory.mktemp("openapi")
    fleet = Fleet(kafka, f"{uuid.uuid4().hex[:8]}.", folder)
    fleet.make_topics(append_time=True)
    put(
        fleet, topics.DIRECTORY, "acme/catalog", {"revision": 1, "time": 0, "commands": ["c"], "doc": CATALOG}
    )
    know(fleet, entitlement())
    found = Client(fleet, "gateway", make_key(fleet, "acme"))
    found.start()
    yield found
    fleet.stop()


@DOCUMENT.parametrize()
@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_in_the_document(case: schemathesis.Case[Any], gateway: Client) -> None:
    headers = {"Authorization": f"Bearer {gateway.key}"}
    excluded = BEYOND_A_SCHEMA.get(case.operation.path, [])
    case.call_and_validate(base_url=gateway.address, headers=headers, excluded_checks=excluded)
