"""`azotte webhooks`: a signed sample to an address and what it answers; no broker is needed for it."""

from __future__ import annotations

import json

import pytest

from rating.times import parse_time
from schemas.webhooks import TYPES, read
from sinks.webhooks.signing import headers, key_of
from streams.cli.webhook_samples import sample
from tests.receiver import Receiver
from tests.unit.streams.cli.test_app import azotte, sentence

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = parse_time("2026-11-22T10:00:00Z")


def addresses(receiver: Receiver) -> str:
    return json.dumps({"crm": {"url": receiver.url, "secrets": [SECRET]}})


@pytest.mark.parametrize("kind", TYPES)
def test_a_sample_is_signed_and_its_answer_printed(kind: str) -> None:
    with Receiver() as receiver:
        answer = azotte(
            "webhooks", "test", "crm", "--type", kind, "--json", AZOTTE_WEBHOOKS=addresses(receiver)
        )
    assert (answer.returncode, answer.stderr) == (0, "")
    (request,) = receiver.requests
    found = json.loads(answer.stdout)
    assert (found["status"], found["answer"], found["body"]) == (200, "answered 200 OK", "you said 1")
    assert found["webhook-id"] == request.id
    assert request.document["type"] == kind
    sent = int(request.headers["webhook-timestamp"])
    assert (
        request.headers["webhook-signature"]
        == (headers(request.id, sent, request.body, [key_of(SECRET)])["webhook-signature"])
    )


def test_an_address_that_does_not_take_it_is_status_1() -> None:
    with Receiver(lambda request: 503) as receiver:
        answer = azotte("webhooks", "test", "crm", AZOTTE_WEBHOOKS=addresses(receiver))
    assert answer.returncode == 1
    assert "azotte: crm does not take it: answered 503 Service Unavailable" in answer.stderr
    assert "/hook" not in answer.stdout + answer.stderr
    assert "503" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("test", "slak"), "no address slak; did you mean slack?"),
        (("test", "crm"), "no address crm: they have slack"),
        (("test", "slack", "--type", "signal.of"), "period.closed; did you mean signal.off?"),
        (("retry", "--address", "x"), "the settings have no address x: they have slack"),
        (("retry", "--since", "never"), "--since 'never' is neither a time"),
    ],
)
def test_wrong_usage_is_told(arguments: tuple[str, ...], told: str) -> None:
    given = json.dumps({"slack": {"url": "http://127.0.0.1:1/", "secrets": [SECRET]}})
    answer = azotte("webhooks", *arguments, AZOTTE_WEBHOOKS=given)
    assert answer.returncode == 2
    assert told in sentence(answer)


def test_a_secret_is_new_each_time_and_one_that_an_address_takes() -> None:
    one, other = (azotte("webhooks", "secret").stdout.strip() for _ in range(2))
    assert one != other
    assert len(key_of(one)) == 32


@pytest.mark.parametrize("kind", TYPES)
def test_a_sample_has_the_contracts_shape(kind: str) -> None:
    name, body = sample(kind, NOW)
    document = json.loads(body)
    assert list(document) == ["type", "timestamp", "data"]
    data = document["data"]
    assert document["timestamp"] == data["time"] == "2026-11-22T10:00:00.000000Z"
    assert read(json.dumps(data).encode()).account == "sample"
    assert name == data.get("id", "default/sample/chat@2026-11-22T10:00:00.000000Z")
    assert data.get("resets_at", "2026-11-23T00:00:00.000000Z") == "2026-11-23T00:00:00.000000Z"
