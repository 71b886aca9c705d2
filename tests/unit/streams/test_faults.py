"""A fault point kills at its turn and stage alone, and says so before."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams import faults
from tests.tidy.source import ROOT

PROGRAM = """
import sys
from streams import faults
for step in sys.argv[1:]:
    stage, name = step.split(".")
    faults.point(name, stage)
    print(step, flush=True)
"""


def passes(*steps: str, **environment: str) -> tuple[int, list[str], str]:
    """Run a program over these points: its exit status, what it passed, what it told."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AZOTTE_")}
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, *steps], cwd=ROOT, env=clean | environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    return found.returncode, found.stdout.split(), found.stderr


@pytest.mark.parametrize(
    ("fault", "steps", "passed"),
    [
        ("", ["rate.after_poll"] * 3, 3), ("after_poll", ["rate.after_poll"] * 3, 0),
        ("after_poll:3", ["rate.after_poll", "sink.after_poll", "rate.after_poll", "rate.after_poll"], 2),
        ("rate.after_poll:2", ["sink.after_poll", "rate.after_poll", "sink.after_poll", "rate.after_poll"], 3),
        ("sink.after_insert", ["rate.after_poll", "sink.after_poll"], 2), ("after_commit", ["rate.after_poll"], 1),
    ],
)  # fmt: skip
def test_a_point_kills_at_its_turn(fault: str, steps: list[str], passed: int, tmp_path: Path) -> None:
    log = tmp_path / "hits"
    status, seen, _ = passes(*steps, AZOTTE_FAULT=fault, AZOTTE_FAULT_LOG=str(log))
    assert seen == steps[:passed]
    killed = passed < len(steps)
    assert status == (-signal.SIGKILL if killed else 0)
    assert log.exists() == killed
    if killed:
        assert log.read_text() == f"{steps[passed]}\n"


def test_it_may_be_another_signal() -> None:
    status, _, _ = passes("rate.after_poll", AZOTTE_FAULT="after_poll", AZOTTE_FAULT_SIGNAL="SIGTERM")
    assert status == -signal.SIGTERM


def test_a_point_that_is_none_is_told() -> None:
    status, _, told = passes(AZOTTE_FAULT="after_pol")
    assert status == 1
    assert "AZOTTE_FAULT names after_pol, which is not one of after_poll" in told


def test_every_point_is_passed_somewhere_and_no_other_is() -> None:
    text = "".join(
        path.read_text("utf-8") for path in (ROOT / "streams").rglob("*.py") if path.name != "faults.py"
    )
    assert set(re.findall(r'faults\.point\("(\w+)"', text)) == set(faults.POINTS)
