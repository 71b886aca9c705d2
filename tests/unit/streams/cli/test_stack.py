"""`azotte up` where the machine cannot: one sentence with the remedy, and status 1."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

import pytest

from streams.cli.interrupts import Interrupts
from streams.cli.program import run
from streams.stack import stack


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "the disk is full: free some space, or set AZOTTE_HOME to a folder on another disk"),
        (errno.EROFS, "Read-only file system: /data/kafka.properties"),
    ],
)
def test_what_the_system_refuses_is_told(
    number: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refused(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number), "/data/kafka.properties")

    monkeypatch.setenv("AZOTTE_HOME", str(tmp_path))
    monkeypatch.setattr(stack, "up", refused)
    assert run(["up"], Interrupts(to_the_end=False)) == 1
    assert capsys.readouterr().err == f"azotte: {sentence}\n"
