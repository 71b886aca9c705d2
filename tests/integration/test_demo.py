"""The demo as a newcomer runs it, shorter: it sums up exactly, what it prints works, and it leaves nothing running."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import local_config

Environment = dict[str, str]
RUN = (sys.executable, "-m", "streams.cli", "run", "--for", "5s", "--rate", "200")


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    """A local stack of its own, stopped afterwards whatever the test found."""
    config = local_config(tmp_path / "home")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AZOTTE_")}
    mine = clean | {
        "AZOTTE_HOME": str(config.home),
        "AZOTTE_KAFKA_PORT": str(config.kafka_port),
        "AZOTTE_CLICKHOUSE_PORT": str(config.clickhouse_port),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "160",
    }
    yield mine
    azotte("down", "--purge", environment=mine)


def azotte(*arguments: str, environment: Environment) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "streams.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


def running(environment: Environment) -> list[str]:
    """The command lines of processes that live in this test's home."""
    mark = f"AZOTTE_HOME={environment['AZOTTE_HOME']}\0".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
    return found


def test_the_demo_sums_up_exactly_and_twice(environment: Environment) -> None:
    for _ in range(2):
        answer = subprocess.run(
            RUN, capture_output=True, text=True, timeout=240, check=False, env=environment
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        for text in (
            "1/4",
            "4/4",
            "charges by plan and model",
            "starter",
            "pro",
            "scale",
            "rejected by reason",
        ):
            assert text in answer.stdout
        assert "every event is accounted for" in answer.stdout, answer.stdout
        assert "the same as the topic, to the last digit" in answer.stdout, answer.stdout
        for part in ("streams.cli worker", "streams.cli sink"):
            assert not [line for line in running(environment) if part in line]
        (published,) = re.findall(r"^([\d,]+) events in 5 s", answer.stdout, re.MULTILINE)
        assert 600 < int(published.replace(",", "")) < 2_000, "about 200 a second"
    said = as_printed(answer.stdout, environment)
    assert len(said) == 5
    query, curl, charges, rejected, down = said
    assert "input" in query
    assert re.search(r"^input-tokens\t\d+$", curl, re.MULTILINE)
    assert [text.count("\n") for text in (charges, rejected)] == [11, 11]
    assert "amount_due" in charges
    assert "error_detail" in rejected
    assert down == "stopped kafka and clickhouse\n"
    assert running(environment) == []


def as_printed(told: str, environment: Environment) -> list[str]:
    """What the commands at the end of the demo answer, each run as it stands there."""
    said = []
    for command in re.findall(r"^  (\S*azotte .*|curl .*)$", told, re.MULTILINE):
        words = shlex.split(command)
        if words[0] == "curl":  # which a machine may not have
            _, address, option, body = words
            assert option == "--data-binary"
            with urllib.request.urlopen(address, body.encode(), timeout=60) as answer:
                said.append(answer.read().decode())
        else:
            done = subprocess.run(
                words, capture_output=True, text=True, timeout=60, check=False, env=environment
            )
            assert done.returncode == 0, done.stderr
            said.append(done.stdout)
    return said


@pytest.mark.parametrize("moment", ["1/4", "2/4", "4/4", "lines"])
def test_ctrl_c_leaves_nothing_running(environment: Environment, moment: str) -> None:
    process = subprocess.Popen(
        RUN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    for line in process.stdout:
        if moment in line:
            break
    os.killpg(process.pid, signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1, told
    assert "Traceback" not in told
    assert running(environment) == []
