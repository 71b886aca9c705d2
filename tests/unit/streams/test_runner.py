"""What a worker is told before it starts, and how it ends."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from streams.kafka import Stop
from streams.runner import run
from streams.web import listen
from tests.unit.streams.fakes import settings


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    levels = {
        name: logging.getLogger(name).level
        for name in ("streams", "faust", "mode", "aiokafka", "aiohttp", "urllib3", "clickhouse_connect")
    }
    yield
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def test_a_home_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        listen("127.0.0.1", 0) as listening,
        pytest.raises(Stop, match="set AZOTTE_HOME to a folder that can be written"),
    ):
        run(settings(home=tmp_path / "file"), listening)


class Failing:
    """A worker that ends with a status, as Faust's does."""

    status = 0

    def __init__(self, *_: object, **__: object) -> None: ...

    def execute_from_commandline(self) -> None:
        raise SystemExit(self.status)


@pytest.mark.parametrize(("status", "words"), [(0, None), (1, "the application failed")])
def test_a_fault_of_the_frame_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, words: str | None
) -> None:
    app = SimpleNamespace(failure=None)
    monkeypatch.setattr("streams.app.build", lambda settings, listening: app)
    monkeypatch.setattr("streams.runner.Worker", Failing)
    monkeypatch.setattr(Failing, "status", status)
    with listen("127.0.0.1", 0) as listening:
        assert run(settings(home=tmp_path), listening) == words
