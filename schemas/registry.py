"""Where Avro schemas are kept: a Confluent registry, `mock://NAME` (one in memory), or a folder of `<id>.avsc`.

UnknownSchema   no usable schema under an id: the record that names it is rejected
Away            the registry does not answer: the same call may succeed when it does
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import fastavro

ANSWER_S = 5.0
KIND = "application/vnd.schemaregistry.v1+json"
Schema = Mapping[str, Any]


class UnknownSchema(Exception):
    """No schema under the id that the value names, or none that is Avro."""


class Away(Exception):
    """The registry does not answer, or not as a registry does."""


class Schemas(Protocol):
    """Schemas by id (a number) or GUID (text with dashes)."""

    def get(self, name: str) -> Any:
        """The parsed schema. Raises `UnknownSchema` or `Away`."""

    def register(self, subject: str, schema: Schema) -> int:
        """The id of a schema of ours, given to it where it has none yet. Raises `Away`."""


class Folder:
    """Schemas as files. One of ours gets an id that its text decides, so that all workers choose the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parsed: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        if name not in self._parsed:
            try:
                text = (self._folder / f"{name}.avsc").read_text("utf-8")
            except (OSError, UnicodeDecodeError):
                raise UnknownSchema(
                    f"schema {name} is not in {self._folder.name}: put {name}.avsc there"
                ) from None
            self._parsed[name] = _parsed(name, text)
        return self._parsed[name]

    def register(self, subject: str, schema: Schema) -> int:
        text = json.dumps(schema)
        number = int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") >> 1
        path = self._folder / f"{number}.avsc"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                whole = path.with_suffix(".new")
                whole.write_text(text, "utf-8")
                whole.replace(path)
        except OSError as error:
            raise Away(f"schema_folder {self._folder} cannot be written ({error.strerror})") from None
        return number


class Memory:
    """`mock://NAME`: schemas that this process was given, one registry a name."""

    _registries: dict[str, dict[str, Any]] = {}

    def __init__(self, name: str) -> None:
        self._mine = self._registries.setdefault(name, {})

    def add(self, name: str, schema: Schema) -> None:
        """Put a schema under an id or a GUID."""
        self._mine[name] = _parsed(name, json.dumps(schema))

    def get(self, name: str) -> Any:
        if name not in self._mine:
            raise UnknownSchema(f"schema {name} is not in the registry in memory")
        return self._mine[name]

    def register(self, subject: str, schema: Schema) -> int:
        known = [name for name, held in self._mine.items() if held == _parsed(name, json.dumps(schema))]
        number = (
            int(known[0])
            if known
            else 1 + max((int(name) for name in self._mine if name.isdigit()), default=0)
        )
        self.add(str(number), schema)
        return number


class Registry:
    """A Confluent schema registry over HTTP; what it answered once is kept, since a schema never changes."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = urlunsplit(
            (parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", "")
        )
        self._headers = {"Content-Type": KIND, "Accept": f"{KIND}, application/json"}
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        self._parsed: dict[str, Any] = {}

    def get(self, name: str) -> Any:
        if name not in self._parsed:
            found = self._ask(f"/schemas/{'guids' if '-' in name else 'ids'}/{name}")
            if found is None:
                raise UnknownSchema(f"the schema registry has no schema {name}")
            if found.get("schemaType", "AVRO") != "AVRO":
                raise UnknownSchema(f"schema {name} of the registry is not Avro but {found['schemaType']}")
            self._parsed[name] = _parsed(name, str(found.get("schema")))
        return self._parsed[name]

    def register(self, subject: str, schema: Schema) -> int:
        body = json.dumps({"schema": json.dumps(schema)}).encode()
        found = self._ask(f"/subjects/{quote(subject, safe='')}/versions", body)
        if found is None or not isinstance(found.get("id"), int):
            raise Away("the schema registry gave no id for a schema")
        return int(found["id"])

    def _ask(self, path: str, body: bytes | None = None) -> dict[str, Any] | None:
        """What it answers; `None` where there is no such thing."""
        asked = urllib.request.Request(self._url + path, body, self._headers)
        try:
            with urllib.request.urlopen(asked, timeout=ANSWER_S) as answer:
                found = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return None
            raise Away(f"the schema registry answers {error.code}") from None
        except OSError as error:
            raise Away(f"the schema registry does not answer ({getattr(error, 'reason', error)})") from None
        except ValueError:
            raise Away("the schema registry does not answer with JSON") from None
        if not isinstance(found, dict):
            raise Away("the schema registry does not answer with a JSON object")
        return found


def schemas_from(url: str | None, folder: Path | None) -> Schemas | None:
    """The source of schemas that the settings name, if any."""
    if folder is not None:
        return Folder(folder)
    if url is None:
        return None
    return Memory(url.removeprefix("mock://")) if url.startswith("mock://") else Registry(url)


def _parsed(name: str, text: str) -> Any:
    try:
        schema = fastavro.parse_schema(json.loads(text))
    except Exception as error:  # noqa: BLE001 - fastavro raises whatever it stumbles over
        raise UnknownSchema(f"schema {name} is not an Avro schema: {type(error).__name__}") from None
    if _recursive(schema, frozenset()):
        raise UnknownSchema(f"schema {name} has a record within itself: give it a depth")
    return schema


def _recursive(schema: Any, within: frozenset[str]) -> bool:
    """Whether a record holds itself. A value of such a schema may nest without end, and fastavro then ends the process."""
    if isinstance(schema, str):
        return schema in within
    if isinstance(schema, list):
        return any(_recursive(each, within) for each in schema)
    inner = within | {schema["name"]} if "name" in schema else within
    parts = [field["type"] for field in schema.get("fields", ())]
    parts += [schema[each] for each in ("items", "values") if each in schema]
    parts += [schema["type"]] if isinstance(schema["type"], dict | list) else []
    return any(_recursive(each, inner) for each in parts)
