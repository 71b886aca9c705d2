"""Settings and data lie where each system and the environment say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streams.home import config_file, data_folder


def test_the_settings_file_is_here_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZOTTE_CONFIG", raising=False)
    assert config_file() == Path("azotte.toml")
    monkeypatch.setenv("AZOTTE_CONFIG", "")
    assert config_file() == Path("azotte.toml")
    monkeypatch.setenv("AZOTTE_CONFIG", "~/mine.toml")
    assert config_file() == Path.home() / "mine.toml"


@pytest.mark.parametrize(
    ("system", "environment", "tail"),
    [
        ("linux", {}, ".local/share/azotte"), ("linux", {"XDG_DATA_HOME": "/data"}, "/data/azotte"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "Library/Application Support/azotte"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/azotte"), ("win32", {}, "AppData/Local/azotte"),
    ],
)  # fmt: skip
def test_data_lie_where_the_system_keeps_a_users_data(
    monkeypatch: pytest.MonkeyPatch, system: str, environment: dict[str, str], tail: str
) -> None:
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", system)
    assert data_folder().as_posix().endswith(tail)
    assert data_folder().is_absolute()
