"""API keys: hashed, of one tenant, rotated without a restart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.gateway.keys import Keys, KeysInvalid, hashed, load, make


def test_a_key_is_found_by_its_hash_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "keys.toml"
    key = make(path, "acme", ["read"], "shop")
    found = Keys(path).find(key)
    assert found is not None
    assert (found.name, found.tenant) == ("shop", "acme")
    assert found.may("read")
    assert not found.may("ingest")
    assert key not in path.read_text()
    assert path.stat().st_mode & 0o077 == 0, "the file is its owner's alone"


def test_keys_come_and_go_without_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    keys = Keys(path)
    assert len(keys) == 0
    first = make(path, "acme", ["admin"], "")
    assert keys.find(first) is not None
    path.write_text("")
    second = make(path, "acme", ["admin"], "")
    assert keys.find(first) is None
    assert keys.find(second) is not None


def test_a_file_that_becomes_wrong_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys.toml"
    key = make(path, "acme", ["admin"], "")
    keys = Keys(path)
    path.write_text("[[key]\n")
    assert keys.find(key) is not None
    assert keys.find(key) is not None
    assert len([1 for record in caplog.records if "stay as they were" in record.getMessage()]) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = [", "is not a TOML file"),
        ("key = 1", "write each as [[key]]"),
        ('[[key]]\ntenant = "a"\nscopes = ["read"]', "has no sha256"),
        ('[[key]]\ntenant = "a b"\nscopes = ["read"]\nsha256 = ""', "tenant 'a b' is no tenant"),
        (f'[[key]]\ntenant = "a"\nscopes = ["write"]\nsha256 = "{hashed("k")}"', "scopes are ['write']"),
        ('[[key]]\ntenant = "a"\nscopes = ["read"]\nsha256 = "key"', "sha256 is not 64 hexadecimal digits"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(text)
    with pytest.raises(KeysInvalid, match=re.escape(told)):
        load(path)
    with pytest.raises(KeysInvalid):
        make(path, "acme", ["read"], "")
