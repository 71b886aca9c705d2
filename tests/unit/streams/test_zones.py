"""A machine's own idea of a time zone changes no price: whatever it has, the pinned package's rules hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

PRICE = {"price": {"model": "scheduled", "timezone": "Europe/Berlin",
                   "schedule": [{"from": "12:00", "to": "13:00", "price": {"model": "per_unit", "unit_amount": "1"}}],
                   "default": {"model": "per_unit", "unit_amount": "0"}}}  # fmt: skip
NOON_IN_BERLIN = {"events": [{"time": "2026-01-15T11:30:00Z", "value": "5"}]}
BUILT = "import streams.app as a, zoneinfo; a.stages_of = lambda _: 1 / 0\ntry: a.build(None, None)\nexcept ZeroDivisionError: print(zoneinfo.TZPATH)"


@pytest.fixture
def wrong(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine whose Berlin is UTC."""
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Berlin").write_bytes((files("tzdata") / "zoneinfo" / "UTC").read_bytes())
    return {**os.environ, "PYTHONTZPATH": str(tmp_path)}


def said(environment: dict[str, str], *arguments: str, given: str = "") -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        input=given, capture_output=True, text=True, check=False, timeout=60, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_command_prices_by_the_pinned_rules(wrong: dict[str, str]) -> None:
    request = json.dumps({"charge": PRICE, "usage": NOON_IN_BERLIN})
    answer = said(wrong, "-m", "streams.cli", "quote", "--batch", "-", "--json", given=request)
    assert json.loads(answer)["total"] == "5"


def test_an_application_that_faust_starts_does_too(wrong: dict[str, str]) -> None:
    assert said(wrong, "-c", BUILT) == "()\n"


def test_the_machine_is_as_wrong_as_it_is_meant_to_be(wrong: dict[str, str]) -> None:
    offset = "import zoneinfo, datetime; print(datetime.datetime(2026, 1, 15, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin')).utcoffset())"
    assert said(wrong, "-c", offset) == "0:00:00\n"
