"""`azotte catalog` without a broker: checked, compared and printed, with the exit statuses of the contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.cli import main
from tests.unit.schemas.catalog.broken import GOOD


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["catalog", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.yaml"
    path.write_text(
        GOOD.replace("amount: 31.00", "amount: much").replace("kind: static", "kind: statik"),
        encoding="utf-8",
    )
    return str(path)


def test_a_sound_catalog(capsys: pytest.CaptureFixture[str], good: str) -> None:
    code, out, err = run(capsys, "validate", good)
    assert code == 0
    assert out == f"{good} is sound: 3 meters, 3 features, 2 plans, 1 storefront, 1 cost, 1 fx, 1 rule\n"
    assert err.count("azotte: warning: ") == 2


def test_every_problem_of_a_broken_one_is_a_line_on_stderr(
    capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    code, out, err = run(capsys, "validate", bad)
    assert (code, out) == (1, "")
    first, second = err.splitlines()[:2]
    assert first.startswith(
        f'azotte: {bad}:24: features[2].kind: "statik" is not one of boolean, static, metered; '
    )
    assert second == (
        f'azotte: {bad}:35: plans[0].fees[0].amount: "much" is not a decimal number; write a decimal, like "0.000002"'
    )


def test_problems_as_json(capsys: pytest.CaptureFixture[str], bad: str) -> None:
    code, out, _ = run(capsys, "validate", bad, "--json")
    told = json.loads(out)
    assert (code, told["ok"], told["file"]) == (1, False, bad)
    assert [(each["line"], each["field"]) for each in told["problems"]] == [
        (24, "features[2].kind"),
        (35, "plans[0].fees[0].amount"),
    ]
    assert set(told["problems"][0]) == {"file", "line", "field", "value", "problem", "remedy"}


@pytest.mark.parametrize("command", ["validate", "apply", "show", "diff"])
def test_a_file_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, out, err = run(capsys, command, "nowhere.yaml")
    assert (code, out, err) == (2, "", "azotte: nowhere.yaml cannot be read: no such file or directory\n")


@pytest.mark.parametrize("command", ["validate", "apply"])
def test_without_a_file_it_is_wrong_usage(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code, _, err = run(capsys, command)
    assert code == 2
    assert "Missing argument" in err


def test_the_canonical_form_is_printed(capsys: pytest.CaptureFixture[str], good: str, tmp_path: Path) -> None:
    code, out, _ = run(capsys, "show", good)
    assert code == 0
    again = tmp_path / "again.yaml"
    again.write_text(out, encoding="utf-8")
    first = run(capsys, "show", good, "--json")[1]
    assert run(capsys, "show", str(again), "--json")[1] == first
    assert json.loads(first)["plans"][0]["fees"] == [{"key": "base", "amount": "31"}]


def test_two_files_are_compared(capsys: pytest.CaptureFixture[str], good: str, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(GOOD.replace("31.00", "32").replace("hold: 1h", "hold: 2h"), encoding="utf-8")
    code, out, err = run(capsys, "diff", str(other), "--against", good)
    assert code == 0
    assert out.splitlines() == [
        '~ plan pro version 1: fees[base].amount: "31" -> "32"',
        '~ rule nudge: hold: "1h" -> "2h"',
    ]
    assert "plans[0]: pro version 1 is published with other content, which never changes" in err
    assert run(capsys, "diff", good, "--against", good)[1] == "no changes\n"
    told = json.loads(run(capsys, "diff", str(other), "--against", good, "--json")[1])
    assert [change["what"] for change in told["changes"]] == ["plan pro version 1", "rule nudge"]
    assert [problem["field"] for problem in told["refused"]] == ["plans[0]"]


def test_without_a_broker_apply_says_so(
    capsys: pytest.CaptureFixture[str], good: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZOTTE_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    code, out, err = run(capsys, "apply", good)
    assert (code, out) == (1, "")
    assert err == "azotte: no broker answers at 127.0.0.1:1: check AZOTTE_KAFKA_BOOTSTRAP_SERVERS\n"
