"""Fixtures of the tests with servers; a file whose deployment has settings of its own makes its own `fleet`."""

from __future__ import annotations

import pathlib
import uuid
from collections.abc import Iterator

import pytest

from tests.integration.fleet import Fleet


@pytest.fixture
def fleet(kafka: str, tmp_path: pathlib.Path) -> Iterator[Fleet]:
    """A deployment whose topics stamp at append, as in production; what it started is ended with the test."""
    made = Fleet(kafka, f"{uuid.uuid4().hex[:8]}.", tmp_path)
    made.make_topics(append_time=True)
    yield made
    made.stop()
