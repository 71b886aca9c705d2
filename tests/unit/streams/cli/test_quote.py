"""`azotte quote`: exact from literal text, one sentence for a mistake, a result a line for a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.cli import main

PRICE = "price:\n  model: per_unit\n  unit_amount: 0.1\nminimum: 0.2\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(["quote", *map(str, arguments)])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return int(end.value.code or 0), captured.out, captured.err


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_numbers_are_exact_whatever_they_are_written_as(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    price = written(tmp_path, "price.yaml", PRICE)
    for text in ('{"quantity": 3.000000000001}', '{"quantity": "3000000000001e-12"}'):
        code, out, _ = run(capsys, price, "--usage", written(tmp_path, "usage.json", text), "--json")
        assert code == 0
        assert json.loads(out)["total"] == "0.3000000000001"


def test_without_json_it_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usage = written(tmp_path, "usage.yaml", "quantity: 1\n")
    code, out, _ = run(capsys, written(tmp_path, "price.yaml", PRICE), "--usage", usage)
    assert code == 0
    assert "unit amount" in out
    assert out.splitlines()[-1] == "total  0.2"


@pytest.mark.parametrize(
    ("price", "usage", "code", "message"),
    [
        (PRICE, '{"quantity": "x"}', 1, "usage.quantity: 'x' is not a decimal number"),
        (PRICE, '{"quantity": 1e999999999999999999999}', 1, "usage.quantity"),
        (PRICE, '{"quantity": NaN}', 1, "NaN is no number"),
        (PRICE, "{", 1, "is not JSON"),
        (PRICE, "[" * 100_000, 1, "is not JSON"),
        ("price: {model: per_unti, unit_amount: 1}", '{"quantity": 1}', 1, "charge.price"),
        ("price: {model: per_unit, unit_amount: 1}\nminimun: 3", '{"quantity": 1}', 1, "minimun"),
        ("price: [", '{"quantity": 1}', 1, "price.yaml:"),
        ("- 1", '{"quantity": 1}', 1, "is no charge"),
    ],
)
def test_a_mistake_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], price: str, usage: str, code: int, message: str
) -> None:
    arguments = (
        written(tmp_path, "price.yaml", price),
        "--usage",
        written(tmp_path, "usage.json", usage),
        "--json",
    )
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (code, "")
    assert message in err
    assert err.count("\n") == 1


def test_usage_that_is_no_text_is_told_with_its_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "usage.json").write_bytes(b'{"quantity": "\xff"}')
    code, out, err = run(
        capsys, written(tmp_path, "price.yaml", PRICE), "--usage", str(tmp_path / "usage.json")
    )
    assert (code, out) == (1, "")
    assert err.endswith("usage.json is not UTF-8 text: byte 15 is 0xff; save it as UTF-8\n")


@pytest.mark.parametrize("name", ["price.yaml", "price.json"])
def test_an_empty_file_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    price, usage = written(tmp_path, name, "\n"), written(tmp_path, "usage.json", "{}")
    code, out, err = run(capsys, price, "--usage", usage)
    assert (code, out) == (1, "")
    assert err == f"azotte: {price} is empty: write price: in PRICE, and quantity: or events: in USAGE\n"


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, tmp_path / "none.yaml", "--usage", tmp_path / "none.json")
    assert code == 2
    assert "none.yaml cannot be read: no such file or directory" in err


def test_wrong_usage_is_status_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys)[0] == 2
    assert run(capsys, tmp_path / "price.yaml")[0] == 2
    assert run(capsys, tmp_path / "price.yaml", "--batch", "-")[0] == 2


def test_a_batch_answers_every_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    charge: dict[str, Any] = {"price": {"model": "per_unit", "unit_amount": "0.1"}}
    lines = [
        json.dumps({"charge": charge, "usage": {"quantity": "3"}}),
        "{",
        "[]",
        "",
        '{"charge": 1, "usage": 2}',
        json.dumps({"charge": charge, "usage": {"quantity": "x"}}),
        json.dumps({"charge": charge, "usage": {"quantity": 4}}),
    ]
    code, out, _ = run(capsys, "--batch", written(tmp_path, "batch.ndjson", "\n".join(lines)), "--json")
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [answer.get("total") for answer in answers] == ["0.3", None, None, None, None, "0.4"]
    assert all(("total" in answer) != ("error" in answer) for answer in answers)
