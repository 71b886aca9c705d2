"""API keys: each of one tenant, with scopes. The file holds their SHA-256 alone, and is read again when it changes.

    [[key]]
    name = "shop"
    tenant = "acme"
    scopes = ["ingest", "read"]
    sha256 = "…"

A key is 32 random bytes, so a plain hash of it cannot be guessed back. To rotate one, add another and take the old one out.
"""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from schemas.catalog.scalars import ID
from streams.patience import log

SCOPES = ("ingest", "read", "admin")
PREFIX = "azk_"


class KeysInvalid(Exception):
    """The file cannot be used; the text is one sentence with the remedy."""


class ApiKey(NamedTuple):
    """What a key is good for; `admin` is good for everything of its tenant."""

    name: str
    tenant: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether the key is good for it."""
        return scope in self.scopes or "admin" in self.scopes


class Keys:
    """The keys of a file as it is now."""

    def __init__(self, path: Path) -> None:
        """Raises `KeysInvalid` for a file that is there and wrong; one that is not there holds no key."""
        self._path = path
        self._stamp = self._now()
        self._held = load(path)

    def __len__(self) -> int:
        return len(self._held)

    def find(self, key: str) -> ApiKey | None:
        """The key of this text. A file that became wrong is told of once, and the keys stay as they were."""
        stamp = self._now()
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._held = load(self._path)
                log.info("gateway: %d API keys are read from %s", len(self._held), self._path)
            except KeysInvalid as error:
                log.error("gateway: the API keys stay as they were: %s", error)
        return self._held.get(hashed(key))

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def hashed(key: str) -> str:
    """What stands in the file for a key."""
    # A header may hold bytes that are no text, which aiohttp keeps as surrogates.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def load(path: Path) -> dict[str, ApiKey]:
    """The keys of a file by their hash. Raises `KeysInvalid`."""
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("key", [])
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise KeysInvalid(f"{path} is not a TOML file: {error}") from None
    except OSError as error:
        raise KeysInvalid(f"{path} cannot be read: {error.strerror}") from None
    if not isinstance(rows, list):
        raise KeysInvalid(f"{path}: key is not a list: write each as [[key]]")
    return dict(_row(path, number, row) for number, row in enumerate(rows))


def _row(path: Path, number: int, row: Mapping[str, Any]) -> tuple[str, ApiKey]:
    where = f"{path}: key {number + 1}"
    for name in ("tenant", "sha256", "scopes"):
        if name not in row:
            raise KeysInvalid(f"{where} has no {name}: make keys with azotte gateway key")
    if not isinstance(row["tenant"], str) or not ID.fullmatch(row["tenant"]):
        raise KeysInvalid(f"{where}: tenant {row['tenant']!r} is no tenant")
    scopes = row["scopes"]
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(SCOPES):
        raise KeysInvalid(f"{where}: scopes are {scopes!r}: name some of {', '.join(SCOPES)}")
    text = str(row["sha256"]).lower()
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise KeysInvalid(f"{where}: sha256 is not 64 hexadecimal digits")
    return text, ApiKey(str(row.get("name", "")), row["tenant"], frozenset(scopes))


def make(path: Path, tenant: str, scopes: Sequence[str], name: str) -> str:
    """A new key, its hash added to the file; the key itself is nowhere but in the answer. Raises `KeysInvalid`."""
    load(path)
    key = PREFIX + secrets.token_urlsafe(32)
    listed = ", ".join(f'"{scope}"' for scope in scopes)
    row = f'[[key]]\nname = "{name}"\ntenant = "{tenant}"\nscopes = [{listed}]\nsha256 = "{hashed(key)}"\n\n'
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        with path.open("a", encoding="utf-8") as file:
            file.write(row)
    except OSError as error:
        raise KeysInvalid(f"{path} cannot be written: {error.strerror}") from None
    return key
