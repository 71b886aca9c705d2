"""Schemas come from a registry, from memory or from a folder; what is none is told, and an absent registry waited for."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from schemas.registry import Away, Folder, Memory, Registry, Schemas, UnknownSchema, schemas_from

SCHEMA = {"type": "record", "name": "r", "fields": [{"name": "v", "type": "long"}]}
GUID = "4f4f4f4f-0000-4000-8000-000000000001"
Asked = list[tuple[str, str, str | None]]


@contextmanager
def registry(answers: dict[str, tuple[int, bytes]]) -> Iterator[tuple[str, Asked]]:
    """A registry that answers so by path; its address, and what it was asked: method, path, login."""
    asked: Asked = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            asked.append((self.command, self.path, self.headers["Authorization"]))
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, body = answers.get(self.path, (404, b'{"error_code": 40403}'))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *words: Any) -> None:
            """Nothing: what it was asked is kept."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


def answer(schema: Any, **more: Any) -> tuple[int, bytes]:
    return 200, json.dumps({"schema": json.dumps(schema), **more}).encode()


def test_a_registry_is_asked_once_a_schema() -> None:
    with registry({"/schemas/ids/7": answer(SCHEMA), f"/schemas/guids/{GUID}": answer(SCHEMA)}) as (
        address,
        asked,
    ):
        found = Registry(f"http://{address}/")
        assert found.get("7") == found.get("7") == found.get(GUID)
        assert asked == [("GET", "/schemas/ids/7", None), ("GET", f"/schemas/guids/{GUID}", None)]


def test_user_and_password_of_the_address_log_in_and_stand_in_no_error() -> None:
    with registry({"/schemas/ids/7": answer(SCHEMA), "/schemas/ids/8": (401, b"{}")}) as (address, asked):
        found = Registry(f"http://me:p%40ss@{address}")
        found.get("7")
        assert asked[0][2] == "Basic bWU6cEBzcw=="
        with pytest.raises(Away, match="answers 401") as caught:
            found.get("8")
        assert "p@ss" not in str(caught.value)


UNUSABLE = [
    (404, b'{"error_code": 40403}'), answer({"type": "nothing known"}), answer("syntax", schemaType="PROTOBUF"),
    (200, b'{"schema": "{"}'), (200, b"{}"),
]  # fmt: skip


@pytest.mark.parametrize("given", UNUSABLE)
def test_a_schema_that_cannot_be_used_is_unknown(given: tuple[int, bytes]) -> None:
    with registry({"/schemas/ids/7": given}) as (address, _), pytest.raises(UnknownSchema, match="7"):
        Registry(f"http://{address}").get("7")


@pytest.mark.parametrize("given", [(500, b""), (503, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b"\xff")])
def test_a_registry_that_does_not_answer_as_one_is_away(given: tuple[int, bytes]) -> None:
    with registry({"/schemas/ids/7": given}) as (address, _), pytest.raises(Away):
        Registry(f"http://{address}").get("7")


def test_a_registry_that_is_not_there_is_away() -> None:
    with registry({}) as (address, _):
        pass
    with pytest.raises(Away, match="does not answer"):
        Registry(f"http://{address}").get("7")


def test_a_registry_gives_our_schema_an_id() -> None:
    path = "/subjects/p.billing.charges.v1-value/versions"
    with registry({path: (200, b'{"id": 42}')}) as (address, asked):
        assert Registry(f"http://{address}").register("p.billing.charges.v1-value", SCHEMA) == 42
        assert asked == [("POST", path, None)]
        with pytest.raises(Away, match="no id"):
            Registry(f"http://{address}").register("other", SCHEMA)


def test_a_folder_has_a_file_a_schema(tmp_path: Path) -> None:
    (tmp_path / "7.avsc").write_text(json.dumps(SCHEMA))
    (tmp_path / f"{GUID}.avsc").write_text(json.dumps(SCHEMA))
    (tmp_path / "8.avsc").write_text("{")
    (tmp_path / "9.avsc").write_bytes(b"\xff")
    folder = Folder(tmp_path)
    assert folder.get("7") == folder.get(GUID)
    for name in ("8", "9", "10"):
        with pytest.raises(UnknownSchema, match=name):
            folder.get(name)


RECURSIVE: list[Any] = [
    {"type": "record", "name": "node", "fields": [{"name": "next", "type": ["null", "node"]}]},
    {"type": "record", "name": "node", "namespace": "a.b", "fields": [{"name": "next", "type": {"type": "array", "items": "a.b.node"}}]},
    {"type": "map", "values": {"type": "record", "name": "x", "fields": [{"name": "y", "type": {
        "type": "record", "name": "y", "fields": [{"name": "x", "type": {"type": "map", "values": "x"}}]}}]}},
]  # fmt: skip


@pytest.mark.parametrize("schema", RECURSIVE)
def test_a_record_within_itself_is_refused_since_its_values_have_no_depth(schema: Any) -> None:
    with pytest.raises(UnknownSchema, match="within itself"):
        Memory(uuid.uuid4().hex).add("1", schema)


def test_a_record_that_stands_twice_side_by_side_is_sound() -> None:
    twice = {
        "type": "record",
        "name": "pair",
        "fields": [{"name": "one", "type": SCHEMA}, {"name": "two", "type": "r"}],
    }
    memory = Memory(uuid.uuid4().hex)
    memory.add("1", twice)
    assert len(memory.get("1")["fields"]) == 2


def test_what_is_put_into_a_folder_later_is_found(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(UnknownSchema):
        folder.get("7")
    (tmp_path / "7.avsc").write_text(json.dumps(SCHEMA))
    assert folder.get("7")["name"] == "r"


def test_a_folder_that_cannot_be_written_is_away(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Away, match="cannot be written"):
        Folder(tmp_path / "file").register("charges-value", SCHEMA)


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_our_schema_has_one_id_whoever_registers_it(kind: str, tmp_path: Path) -> None:
    name = uuid.uuid4().hex

    def opened() -> Schemas:
        return Memory(name) if kind == "memory" else Folder(tmp_path / "schemas")

    number = opened().register("charges-value", SCHEMA)
    assert opened().register("charges-value", SCHEMA) == number
    assert opened().register("charges-value", {**SCHEMA, "name": "other"}) != number
    assert opened().get(str(number))["fields"] == SCHEMA["fields"]
    assert 0 < number < 2**31


def test_the_settings_choose(tmp_path: Path) -> None:
    assert schemas_from(None, None) is None
    assert isinstance(schemas_from("http://registry:8081", None), Registry)
    assert isinstance(schemas_from("http://registry:8081", tmp_path), Folder)
    name = uuid.uuid4().hex
    one, other = schemas_from(f"mock://{name}", None), schemas_from(f"mock://{name}", None)
    assert isinstance(one, Memory)
    assert isinstance(other, Memory)
    one.add("1", SCHEMA)
    assert other.get("1") == one.get("1")
    with pytest.raises(UnknownSchema):
        Memory(uuid.uuid4().hex).get("1")
