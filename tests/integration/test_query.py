"""`azotte query` and `azotte tail` against real servers: rows, answers without rows, mistakes, a broker that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streams.stack import broker
from tests.servers import local_config

PROGRAM = [sys.executable, "-m", "streams.cli"]


def query(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"AZOTTE_CLICKHOUSE_URL": url}
    return subprocess.run(
        [*PROGRAM, "query", *arguments],
        capture_output=True, text=True, timeout=60, check=False, env=environment,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "status", "output", "errors"),
    [
        (("SELECT 1 AS a, 'x' AS b", "--json"), 0, '{"a": 1, "b": "x"}\n', ""),
        (("SELECT 1 AS a FORMAT CSVWithNames",), 0, '"a"\n1\n', ""),
        (("SELECT 1 AS a WHERE a = 2",), 0, "", "no rows\n"),
        (("SELECT 1 AS a WHERE a = 2", "--json"), 0, "", "no rows\n"),
        (("CREATE TABLE IF NOT EXISTS asked (a UInt8) ENGINE Memory",), 0, "", "no rows\n"),
        ((" ;",), 2, "", "azotte: SQL is empty: give a query, for example 'SELECT count() FROM charges'\n"),
    ],
)  # fmt: skip
def test_a_query_answers_with_data_alone_on_stdout(
    clickhouse_address: str, arguments: tuple[str, ...], status: int, output: str, errors: str
) -> None:
    answer = query(f"{clickhouse_address}/default", *arguments)
    assert (answer.returncode, answer.stdout, answer.stderr) == (status, output, errors)


def test_a_wrong_query_is_one_sentence(clickhouse_address: str) -> None:
    answer = query(f"{clickhouse_address}/default", "SELECT nope FROM system.one")
    assert (answer.returncode, answer.stdout, answer.stderr.count("\n")) == (1, "", 1)
    assert answer.stderr.startswith("azotte: Unknown expression identifier `nope`")
    assert clickhouse_address not in answer.stderr


def test_tail_says_once_that_the_broker_went_away(tmp_path: Path) -> None:
    config = local_config(tmp_path / "home")
    environment = os.environ | {
        "AZOTTE_HOME": str(config.home), "AZOTTE_KAFKA_PORT": str(config.kafka_port),
        "AZOTTE_CLICKHOUSE_PORT": str(config.clickhouse_port), "AZOTTE_PARTITIONS": "1",
    }  # fmt: skip
    try:
        subprocess.run([*PROGRAM, "up"], env=environment, check=True, capture_output=True, timeout=120)
        following = subprocess.Popen(
            [*PROGRAM, "tail", "charges"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert following.stdout is not None
        assert following.stderr is not None
        assert following.stdout.readline().startswith("time ")
        broker.daemon(config).stop()
        assert following.stderr.readline() == (
            f"azotte: the broker at {config.bootstrap_servers} went away: this goes on when it is back, Ctrl-C ends it\n"
        )
        following.send_signal(signal.SIGINT)
        _, errors = following.communicate(timeout=30)
        assert (following.returncode, errors) == (1, "azotte: interrupted\n")
    finally:
        subprocess.run([*PROGRAM, "down", "--purge"], env=environment, check=False, capture_output=True)
