"""The program as a whole: its help, wrong usage, exit statuses, what it imports at start, a closed pipe, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from streams.cli.app import COMMANDS

GROUPS = {
    "catalog": ("validate", "diff", "apply", "show"),
    "settings": ("show", "table"),
    "gateway": ("key", "openapi"),
    "webhooks": ("test", "retry", "secret"),
    "limit": ("set", "remove"),
}
LIMIT = ("limit", "set", "acme", "cap", "--metric", "spend", "--amount", "5")
EVERY = [(name,) for name in COMMANDS] + [(group, name) for group, names in GROUPS.items() for name in names]


HEEDING = """
import signal
from streams.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""The program, heeding Ctrl-C also where the test run was told to ignore it, as one in the background is."""


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def azotte(*arguments: str, given: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AZOTTE_")}
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *arguments],
        input=given, capture_output=True, text=True, timeout=60, check=False, env=clean | environment,
    )  # fmt: skip


def sentence(answer: subprocess.CompletedProcess[str]) -> str:
    """The one line of stderr, and nothing on stdout."""
    assert answer.stdout == ""
    lines = answer.stderr.strip().splitlines()
    assert len(lines) == 1, answer.stderr
    assert "Traceback" not in answer.stderr
    return lines[0]


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_command_has_help_without_python_and_without_cut_sentences(command: tuple[str, ...]) -> None:
    answer = azotte(*command, "--help", COLUMNS="80")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith(f"Usage: azotte {' '.join(command)}")
    assert not re.search(r"list\[|<int|<path|<str|(?<!\])\.\.\.\n", answer.stdout), answer.stdout


@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_command_refuses_an_option_that_it_does_not_have(command: tuple[str, ...]) -> None:
    answer = azotte(*command, "--helpp")
    assert answer.returncode == 2
    assert "--help" in sentence(answer)


def test_the_help_lists_every_command() -> None:
    answer = azotte("--help")
    assert answer.returncode == 0
    for name in COMMANDS:
        assert f"\n  {name} " in answer.stdout


def test_no_command_at_all_shows_the_help_as_wrong_usage() -> None:
    answer = azotte()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "Usage: azotte" in answer.stderr


@pytest.mark.parametrize(
    ("typo", "meant"),
    [(("subscibe",), "subscribe"), (("querry",), "query"), (("catalog", "aply"), "apply"), (("setings",), "settings")],
)  # fmt: skip
def test_a_misspelt_command_is_told_what_was_meant(typo: tuple[str, ...], meant: str) -> None:
    answer = azotte(*typo)
    assert answer.returncode == 2
    assert f"Did you mean '{meant}'" in sentence(answer)


def test_the_version_is_printed() -> None:
    answer = azotte("--version")
    assert answer.returncode == 0
    assert answer.stdout.startswith("azotte ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("subscribe", "acme"), "Missing argument"),
        (("subscribe", "a/b", "pro"), "account 'a/b' is not an id"),
        (("subscribe", "acme", "pro", "--start", "monday"), "--start: 'monday' is not an RFC 3339 time"),
        (("subscribe", "acme", "pro", "--plan-version", "x"), "plan-version"),
        (("subscribe", "acme", "pro", "--quantity", "seats"), "--quantity 'seats' is not name=value"),
        (("subscribe", "acme", "pro", "--overrides", "none.yaml"), "--overrides none.yaml cannot be read: no such file"),
        (("subscribe", "acme", "pro", "--overrides", "{"), "neither JSON nor YAML"),
        (("subscribe", "acme", "pro", "--tenant", "a b"), "tenant 'a b' is not an id"),
        (("subscribe", "acme", "pro", "--timezone", "Mars/Base"), 'not sent: timezone: "Mars/Base"'),
        (("subscribe", "acme", "Pro"), "not sent: "),
        (("cancel", "acme", "pro", "--at", "later"), "--at"),
        (("grant", "acme", "1e3", "USD"), "AMOUNT '1e3' is not a decimal"),
        (("grant", "acme", "5", "USD", "--rollover", "5"), "--rollover '5' is not min:max"),
        (("grant", "acme", "5", "USD", "--expires-at", "x"), "--expires-at: 'x' is not"),
        (("grant", "acme", "5", "USD", "--priority", "-1"), "--priority"),
        (("limit", "set", "acme", "cap", "--amount", "5"), "Missing option '--metric'"),
        (("limit", "set", "acme", "cap", "--metric", "spend", "--amount", "x"), "--amount 'x' is not a decimal"),
        (("limit", "set", "acme", "cap", "--metric", "usage", "--amount", "5"), "say what counts: either meter or feature"),
        ((*LIMIT, "--window", "5"), "--window '5' is not period, day, week, month, 5h or 7d:sliding"),
        ((*LIMIT, "--scope", "everyone"), 'not sent: limit.scope: "everyone" is not one of subscription'),
        ((*LIMIT, "--scope", "subject:a/b"), "--scope subject: 'a/b' is not an id"),
        ((*LIMIT, "--threshold", "on:5"), "--threshold 'on:5' is not a percentage, at:VALUE or every:VALUE"),
        ((*LIMIT, "--throttle", "10"), "--throttle '10' is not rate/time, like 10/1m"),
        ((*LIMIT, "--filter", "eu"), "--filter 'eu' is not property=value"),
        ((*LIMIT, "--action", "stop"), "--action"),
        (("limit", "remove", "acme", "Cap"), "not sent: limit: "),
        (("ledger", "acme", "--at", "monday"), "--at: 'monday' is not an RFC 3339 time"),
        (("ledger", "a/b"), "account 'a/b' is not an id"),
        (("watch", "a/b"), "account 'a/b' is not an id"),
        (("watch", "acme", "--since", "monday"), "--since 'monday' is neither a time"),
        (("void-grant", "acme", "g", "--amount", "x"), "--amount 'x' is not a decimal"),
        (("retract", "acme", "--was", "{}"), "--was is an event without source"),
        (("retract", "acme"), "--was"),
        (("amend", "acme", "--was", '{"id": "1", "source": "s"}'), "--now"),
        (("produce", "none.ndjson"), "none.ndjson cannot be read: no such file"),
        (("quote", "none.yaml", "--usage", "none.json"), "none.yaml cannot be read: no such file"),
        (("quote", "--batch", "none.ndjson"), "none.ndjson cannot be read: no such file"),
        (("catalog", "validate", "none.yaml"), "none.yaml cannot be read: no such file"),
        (("catalog", "diff", "streams/demo/catalog.yaml", "--against", "streams"), "streams cannot be read: is a directory"),
        (("simulate", "--catalog", "none.yaml", "--input", "-"), "--catalog none.yaml cannot be read: no such file"),
        (("simulate", "--catalog", "streams/demo/catalog.yaml", "--input", "none"), "--input none cannot be read: no such"),
        (("produce", "-", "--topic", "usage"), "--topic usage is no raw topic"),
        (("produce", "-", "--format", "xml"), "--format"),
        (("produce", "-", "--rate", "0"), "--rate"),
        (("produce", "-", "--map", "id=id"), "--map and --set are for a CSV"),
        (("redrive", "--code", "too_odl"), "--code too_odl is none of malformed, "),
        (("redrive", "--code", "too_odl"), "bad_command; did you mean too_old?"),
        (("redrive", "--code", "odd"), "bad_command"),
        (("redrive", "--since", "yesterday"), "--since 'yesterday' is neither a time"),
        (("gateway", "key", "a b"), "tenant 'a b' is not an id"),
        (("gateway", "key", "acme", "--scope", "write"), "--scope"),
        (("run", "--for", "long"), "--for 'long' is not a duration"),
        (("run", "--for", "0s"), "--for 0s is not between 1s and 24h"),
        (("run", "--rate", "0"), "'--rate': '0' is less than 1"),
        (("run", "--rate", "20001"), "'--rate': '20001' is more than 20000"),
        (("run", "--seed", "x"), "'--seed': 'x' is not a whole number"),
        (("amend", "acme", "--was", '{"id": "1", "source": "s"}', "--now", "{}"), "--now is an event without anything"),
        (("retract", "acme", "--was", "{"), "--was { is neither JSON nor YAML: "),
        (("produce", "-", "--format", "csv"), "a CSV needs --map or --set"),
        (("tail",), "Missing argument 'WHAT'"),
        (("query", " "), "SQL is empty"),
        (("catalog", "apply", "streams/demo/catalog.yaml", "--tenant", "a b"), "--tenant 'a b' is not an id"),
    ],
)  # fmt: skip
def test_wrong_usage_is_one_sentence_and_status_2(arguments: tuple[str, ...], told: str) -> None:
    answer = azotte(*arguments)
    assert answer.returncode == 2, answer
    assert told in sentence(answer)


@pytest.mark.parametrize(
    "arguments",
    [
        ("subscribe", "acme", "pro"),
        ("grant", "acme", "5", "USD"),
        ("produce", "-"),
        ("redrive",),
        ("webhooks", "retry"),
        ("watch", "acme"),
        ("limit", "remove", "acme", "cap"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_broker_that_is_down_is_one_sentence_and_status_1(arguments: tuple[str, ...]) -> None:
    answer = azotte(*arguments, AZOTTE_KAFKA_PORT=str(closed_port()))
    assert answer.returncode == 1
    assert "no broker answers at 127.0.0.1:" in sentence(answer)
    assert "azotte up" in answer.stderr


def test_settings_that_do_not_hold_are_one_sentence_and_status_1() -> None:
    answer = azotte("settings", "show", AZOTTE_PARTITIONS="many")
    assert answer.returncode == 1
    assert "AZOTTE_PARTITIONS 'many'" in sentence(answer)


def test_settings_are_shown_with_their_secrets_masked() -> None:
    answer = azotte("settings", "show", AZOTTE_CLICKHOUSE_URL="http://ana:hunter2@db:8123/azotte")
    assert answer.returncode == 0
    assert "http://ana:********@db:8123/azotte" in answer.stdout
    assert "hunter2" not in answer.stdout + answer.stderr


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    answer = subprocess.run(
        [sys.executable, "-m", "streams.cli", "settings", "table"],
        stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)
    assert answer.stderr == ""
    assert answer.returncode in (0, 1)


def test_ctrl_c_is_one_sentence_and_status_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = subprocess.Popen(
            [sys.executable, "-c", HEEDING, "grant", "acme", "5", "USD"],
            stderr=subprocess.PIPE, text=True,
            env=os.environ | {"AZOTTE_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{silent.getsockname()[1]}"},
        )  # fmt: skip
        silent.accept()[0].close()
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Traceback" not in told
    assert told.strip().splitlines()[-1].startswith("azotte: ")


@pytest.mark.parametrize(
    "module", ["faust", "confluent_kafka", "chdb", "pyarrow", "clickhouse_connect", "rocksdict"]
)
@pytest.mark.parametrize("command", ["quote", "simulate"])
def test_pricing_offline_starts_without_the_servers_libraries(command: str, module: str) -> None:
    code = (
        "import sys\nfrom streams.cli.app import app\nfrom typer.main import get_command\n"
        f"get_command(app).commands[{command!r}]\nsys.exit({module!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_wrong_value_is_told_in_our_words() -> None:
    assert sentence(azotte("tail", "charge")) == (
        "azotte tail: Invalid value for 'WHAT': 'charge' is not one of 'charges', 'thresholds', 'entitlements', 'ledger', "
        "'signals', 'rejected', 'catalog', 'events', 'commands'. See `azotte tail --help`."
    )
    assert sentence(azotte("sink", "x")) == (
        "azotte sink: Got unexpected extra argument(s) (x). See `azotte sink --help`."
    )


def test_a_clickhouse_that_is_away_is_one_sentence() -> None:
    for command in (("query", "SELECT 1"), ("ledger", "acme")):
        said = sentence(azotte(*command, AZOTTE_CLICKHOUSE_PORT=str(closed_port())))
        assert said.startswith("azotte: no ClickHouse answers at ")
