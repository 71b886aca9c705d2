"""What a worker is told before it starts: a port that is taken, a host that is none, a home that cannot be used."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kafka import Stop
from streams.runner import run
from tests.unit.streams.fakes import settings


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield int(held.getsockname()[1])


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    levels = {
        name: logging.getLogger(name).level
        for name in ("faust", "mode", "aiokafka", "aiohttp", "urllib3", "clickhouse_connect")
    }
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_port_that_is_taken_is_told_before_anything_starts(taken: int, tmp_path: Path) -> None:
    with pytest.raises(
        Stop, match=f"web port {taken} is taken: set AZOTTE_WEB_PORT to a free port, or to 0 for any"
    ):
        run(settings(home=tmp_path, web_port=taken))
    assert not list(tmp_path.iterdir())


def test_a_host_that_is_none_of_this_machines_is_told(tmp_path: Path) -> None:
    with pytest.raises(Stop, match=r"web_host 192\.0\.2\.1 cannot be used"):
        run(settings(home=tmp_path, web_host="192.0.2.1", web_port=6066))


def test_a_home_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Stop, match="set AZOTTE_HOME to a folder that can be written"):
        run(settings(home=tmp_path / "file", web_port=0))
