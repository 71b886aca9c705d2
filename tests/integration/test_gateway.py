"""The gateway on the real broker: what it reads, what it publishes, its start and its end."""

from __future__ import annotations

import json
import signal

from confluent_kafka import Producer

from schemas import topics
from tests.integration import ledger
from tests.integration.asking import Client, make_key
from tests.integration.fleet import Fleet
from tests.unit.streams.gateway.gate import CATALOG, entitlement

CHAT = "/v1/tenants/acme/accounts/cust-1/features/chat"
EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "shop",
    "type": "llm",
    "subject": "cust-1",
    "data": {"tokens": 3},
}


def put(fleet: Fleet, topic: topics.Topic, key: str, value: object) -> None:
    """A record of a compacted topic, as rating writes it."""
    producer = Producer({"bootstrap.servers": fleet.servers})
    producer.produce(fleet.topic(topic), json.dumps(value).encode(), key)
    assert producer.flush(30) == 0


def know(fleet: Fleet, value: dict[str, object]) -> None:
    put(fleet, topics.ENTITLEMENTS, f"acme/{value['account']}/{value['feature']}", value)


def test_access_events_and_a_quiet_end(fleet: Fleet) -> None:
    put(
        fleet, topics.DIRECTORY, "acme/catalog", {"revision": 1, "time": 0, "commands": ["c"], "doc": CATALOG}
    )
    know(fleet, entitlement())
    client = Client(fleet, "gateway", make_key(fleet, "acme"))
    client.start()
    assert client.ask("GET", CHAT) == (200, entitlement() | {"reserved": "0", "available": "60"})

    know(fleet, entitlement(used="41", balance="59"))
    ledger.until(lambda: client.ask("GET", CHAT)[1]["available"] == "59", 30, "the newer record", fleet.logs)

    status, body = client.ask("POST", "/v1/events", [EVENT, {"id": "x"}])
    assert (status, [each["status"] for each in body["results"]]) == (200, ["accepted", "rejected"])
    binary = {f"ce-{name}": str(EVENT[name]) for name in EVENT if name != "data"} | {"ce-id": "e2"}
    sent = client.ask("POST", "/v1/events", EVENT["data"], **binary, **{"Content-Type": "application/json"})
    assert sent == (200, {"results": [{"id": "e2", "status": "accepted"}]})
    raw = ledger.Reader(fleet.servers, fleet.topic(topics.EVENTS))
    raw.read_to(fleet.ends(topics.EVENTS))
    raw.close()
    in_headers = EVENT | {"tenant": "acme", "id": "e2", "datacontenttype": "application/json"}
    found = [json.loads(value or b"") for _, value, _ in raw.records]
    assert sorted(found, key=lambda event: event["id"]) == [EVENT | {"tenant": "acme"}, in_headers]
    assert client.ask("GET", "/openapi.json")[0] == 200
    fleet.end("gateway")


def test_ctrl_c_ends_it_and_a_taken_port_is_one_sentence(fleet: Fleet) -> None:
    client = Client(fleet, "first", make_key(fleet, "acme"))
    client.start()
    port = client.address.rpartition(":")[2]
    second = fleet.start("second", "gateway", extra={"AZOTTE_GATEWAY_PORT": port})
    assert second.wait(60) == 1
    assert fleet.log("second").strip() == (
        f"azotte: gateway port {port} is taken: set AZOTTE_GATEWAY_PORT to a free port, or to 0 for any"
    )
    first = fleet.running["first"]
    first.send_signal(signal.SIGINT)
    assert first.wait(30) == 0, fleet.logs()
    assert "Traceback" not in fleet.log("first")
