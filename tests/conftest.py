"""Fixtures that every test may ask for: one broker and one ClickHouse a test run, a database a test."""

from __future__ import annotations

import signal
import uuid
from collections.abc import Iterator

import pytest

from tests import servers


def pytest_configure() -> None:
    """Ctrl-C is not ignored, though a shell that runs the tests in the background asks for that: some tests press it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of the broker; tests keep apart by topic prefix."""
    with servers.kafka_server(tmp_path_factory.mktemp("broker") / "home") as found:
        yield found


@pytest.fixture(scope="session")
def clickhouse_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The ClickHouse of the run, without a database."""
    with servers.clickhouse_server(tmp_path_factory.mktemp("clickhouse") / "home") as found:
        yield found


@pytest.fixture
def clickhouse(clickhouse_address: str) -> str:
    """The URL of a database of this test's own; nothing has made it yet."""
    return f"{clickhouse_address}/test_{uuid.uuid4().hex[:12]}"
