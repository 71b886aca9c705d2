"""Section 7: the commands, and that a wrong usage ends with 2, a failure with 1, what is done with 0."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from streams.cli import main
from streams.cli.app import COMMANDS

NAMED = (
    "up", "down", "status", "doctor", "worker", "sink", "catalog", "subscribe", "grant", "produce", "quote", "simulate",
    "redrive", "tail", "query",
)  # fmt: skip
OPTIONS = {
    ("worker",): ("--stage",), ("quote",): ("--usage", "--batch", "--json"), ("status",): ("--json",), ("up",): ("--json",),
    ("simulate",): ("--catalog", "--input", "--until", "--json"), ("redrive",): ("--code", "--since"),
    ("catalog", "validate"): (), ("catalog", "diff"): (), ("catalog", "apply"): (), ("catalog", "show"): (),
}  # fmt: skip


def azotte(*arguments: str) -> tuple[int, str, str]:
    """Exit status, what is printed, and what is told of errors."""
    out, told = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(told),
        pytest.raises(SystemExit) as caught,
    ):
        main(list(arguments))
    return int(caught.value.code or 0), out.getvalue(), told.getvalue()


def test_every_command_of_the_contract_is_there() -> None:
    assert set(NAMED) <= set(COMMANDS)
    status, shown, _ = azotte("--help")
    assert status == 0
    assert all(f" {name} " in shown for name in NAMED)


@pytest.mark.parametrize("command", OPTIONS, ids=" ".join)
def test_a_command_has_the_contracts_options(command: tuple[str, ...]) -> None:
    status, shown, _ = azotte(*command, "--help")
    assert status == 0
    assert all(option in shown for option in OPTIONS[command])


def test_exit_statuses(tmp_path: Path) -> None:
    sound, broken = tmp_path / "sound.yaml", tmp_path / "broken.yaml"
    sound.write_text("meters: [{key: m, event_type: e, aggregation: count}]\n")
    broken.write_text("meters: [{key: M}]\n")
    assert azotte("catalog", "validate", str(sound))[0] == 0
    failed, _, why = azotte("catalog", "validate", str(broken))
    assert failed == 1
    assert why or failed
    assert azotte("catalog", "validate")[0] == 2
    assert azotte("no-such-command")[0] == 2


def test_a_quote_is_exact(tmp_path: Path) -> None:
    price, usage = tmp_path / "price.yaml", tmp_path / "usage.json"
    price.write_text("price: {model: per_unit, unit_amount: '0.000000000000001'}\n")
    usage.write_text('{"quantity": "0.000000000001"}')
    status, shown, _ = azotte("quote", str(price), "--usage", str(usage), "--json")
    assert status == 0
    assert '"total": "0.000000000000000000000000001"' in shown.replace('":"', '": "')
