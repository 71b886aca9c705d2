"""The cookbook's recipes: their pages say what their files say, and what comes out is what was reckoned by hand."""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

import pytest
from typer.testing import CliRunner

from streams.cli.app import app
from tests.golden import cookbook
from tests.golden.cookbook import CHARGES, ENTITLEMENTS, LEDGER, REJECTED, ROOT, THRESHOLDS, Json, recipe
from tests.golden.cookbook_page import rendered

RECIPES = (
    "five-hour-windows",
    "gpu-seconds",
    "marketplace-percentage",
    "per-resolution",
    "prepaid-burn-down",
    "seats-and-credits",
    "tiered-api-calls",
    "token-api",
)
ALWAYS = (CHARGES, LEDGER, THRESHOLDS, REJECTED)
CASES = [(name, topic) for name in RECIPES for topic in ALWAYS] + [("five-hour-windows", ENTITLEMENTS)]
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December")  # fmt: skip
OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip


def test_there_are_all_of_them() -> None:
    assert cookbook.names() == sorted(RECIPES)
    index = (cookbook.FOLDER / "README.md").read_text("utf-8")
    assert sorted(re.findall(r"\]\(([a-z-]+)/README\.md\)", index)) == sorted(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_catalog_has_no_problem_and_nothing_to_warn_of(name: str) -> None:
    catalog = recipe(name).catalog
    assert (catalog.problems, catalog.warnings) == ((), ())


@pytest.mark.parametrize("name", RECIPES)
def test_a_page_shows_the_files_as_they_are(name: str) -> None:
    what = recipe(name)
    assert what.page == rendered(what), "write it anew with python -m tests.golden.cookbook_page"


@pytest.mark.parametrize(("name", "topic"), CASES)
def test_what_comes_out_is_what_was_reckoned(name: str, topic: str) -> None:
    found, wanted = (cookbook.on(topic, records) for records in (cookbook.run(name), recipe(name).expected))
    assert found == wanted


@pytest.mark.parametrize("name", RECIPES)
def test_totals_are_what_was_reckoned_however_many_lines_they_take(name: str) -> None:
    found, wanted = _totals(cookbook.run(name)), _totals(recipe(name).expected)
    assert found == wanted


def _totals(records: Iterable[Json]) -> dict[tuple[object, ...], Fraction]:
    """Amount and credits of each charge, kind and input line."""
    found: dict[tuple[object, ...], Fraction] = {}
    for each in records:
        line = each["value"]
        if each["topic"] == CHARGES and line["kind"] != "close":
            for name in ("amount", "credits_applied"):
                key = (each["after"], _label(line), line["kind"], name)
                found[key] = found.get(key, Fraction(0)) + Fraction(line[name])
    return found


def test_limits_change_no_charge() -> None:
    found = cookbook.run("five-hour-windows", without=("limits", "entitlements"))
    assert cookbook.on(CHARGES, found) == cookbook.on(CHARGES, recipe("five-hour-windows").expected)


@pytest.mark.parametrize("name", RECIPES)
def test_the_command_on_the_page_prints_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    command = recipe(name).command
    assert command[command.index("--catalog") + 1] == f"docs/cookbook/{name}/catalog.yaml"
    assert command[command.index("--input") + 1] == f"docs/cookbook/{name}/input.ndjson"
    answer = CliRunner().invoke(app, command)
    printed = cookbook.trimmed({"headers": {}, **json.loads(line)} for line in answer.stdout.splitlines())
    shown = [{name: each[name] for name in ("topic", "value")} for each in cookbook.run(name)]
    assert answer.exit_code == 0, answer.stderr
    assert [each for each in printed if each is not None] == [each["value"] for each in shown]


@pytest.mark.parametrize("name", RECIPES)
def test_what_the_page_reckons_by_hand_is_right_and_is_what_is_charged(name: str) -> None:
    charged = [each["value"] for each in recipe(name).expected if each["topic"] == CHARGES]
    closed = {_label(line) for line in charged if line["kind"] == "close"}
    reckoned = dict(_reckoned(recipe(name).page))
    assert reckoned.keys() >= closed, "every charge of a closed month is reckoned on the page"
    for label in closed:
        amounts = [
            Fraction(line["amount"]) for line in charged if line["kind"] != "close" and _label(line) == label
        ]
        assert reckoned[label] == sum(amounts), label


def _label(line: Json) -> str:
    return f"{line['charge']}, {MONTHS[int(line['period_start'][5:7]) - 1]}"


def _reckoned(page: str) -> Iterator[tuple[str, Fraction]]:
    """Label and value of each line `label: sum = sum = …` of the page's part `By hand`, whose sides must be equal."""
    block = re.search(r"^## By hand\n.*?^```text\n(.*?)^```$", page, re.M | re.S)
    assert block is not None, "the page reckons nothing by hand"
    for line in block[1].splitlines():
        label, _, rest = line.partition(":")
        sides = [_value(ast.parse(_python(side), mode="eval").body) for side in rest.split("=")]
        assert len(sides) > 1, f"{line}: shows a sum and what it is"
        assert len(set(sides)) == 1, f"{line}: {', '.join(map(str, sides))}"
        yield label.strip(), sides[0]


def _python(side: str) -> str:
    """The sum in Python's signs, its numbers as texts so that they stay exact."""
    signs = side.replace("×", "*").replace("÷", "/").replace("−", "-").replace(",", "")
    return re.sub(r"\d+(?:\.\d+)?", r"'\g<0>'", signs).strip()


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    assert isinstance(node, ast.BinOp), ast.dump(node)
    return OPERATORS[type(node.op)](_value(node.left), _value(node.right))
