"""YAML and JSON texts keep every digit, and no text, however hostile, gives a traceback or costs much."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.catalog import load_catalog
from schemas.catalog.base import Literal
from schemas.catalog.problems import CatalogProblem
from schemas.catalog.source import BYTES_MAX, NODES_MAX, Tree, read_source


def read(text: str) -> Any:
    tree = read_source(text.encode(), "c.yaml")
    assert isinstance(tree, Tree), tree
    return tree.value


@pytest.mark.parametrize(
    "text", ["0.1", "1e5", "-3", "+4.50", "0.000000000000000000001", "12345678901234567890", ".5"]
)
def test_a_number_is_its_literal_text(text: str) -> None:
    value = read(f"a: {text}")["a"]
    assert isinstance(value, Literal)
    assert value == text


@pytest.mark.parametrize(
    "text", ["on", "off", "yes", "no", "y", "n", "2026-01-01", "1:30", "0x1f", "1_000", ".inf", ".nan"]
)
def test_what_other_readers_turn_into_something_else_stays_text(text: str) -> None:
    value = read(f"a: {text}")["a"]
    assert type(value) is str
    assert value == text


def test_words_of_yaml_and_json() -> None:
    assert read("{a: true, b: false, c: null, d: ~, e: 'true', f: \"5\"}") == {
        "a": True, "b": False, "c": None, "d": None, "e": "true", "f": "5",
    }  # fmt: skip
    assert type(read("a: '5'")["a"]) is str


def test_names_of_fields_are_text() -> None:
    assert read("on: a\n1: b\ntrue: c\n") == {"on": "a", "1": "b", "true": "c"}


def test_aliases_are_read_and_cost_what_they_unfold_to() -> None:
    assert read("a: &x [1, 2]\nb: *x\n") == {"a": ["1", "2"], "b": ["1", "2"]}


def test_json_is_read_whatever_its_white_space() -> None:
    doc = {"rules": [{"key": "a", "data": {"offer": 'tab\there "x" \U0001f600 / ü', "none": None}}]}
    for text in (json.dumps(doc), json.dumps(doc, indent="\t"), json.dumps(doc, ensure_ascii=False)):
        assert read(text) == doc


BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
HOSTILE = {
    "": "is an empty catalog",
    "~": "is an empty catalog",
    "# nothing\n": "is an empty catalog",
    "hello": "is no catalog",
    "[]": "is no catalog",
    "a: \x00": "is a control character",
    "meters:\n\t- key: a\n": "is indented by a tab",
    "meters: [": "is not YAML or JSON",
    "a: b: c": "is not YAML or JSON",
    '{"meters": [}': "is not YAML or JSON",
    "a: 1\n---\nb: 2\n": "begins a second document",
    "? [a, b]\n: c\n": "has a name that is no text",
    "a: &a {x: 1}\nb: {<<: *a}\n": "is a merge key",
    "a: 1\na: 2\n": "comes twice, first on line 1",
    "a: !!python/object/apply:os.system [id]\n": "is a tag",
    "a: !!binary aGk=\n": "is a tag",
    "a: &a [*a]\n": "names no anchor that ends above it",
    "a: *b\n": "names no anchor that ends above it",
    BOMB: "are too many, aliases unfolded",
    "[" * 1_000_000: "is nested more than 40 deep",
    "{a: " * 100_000: "is nested more than 40 deep",
    "meters: 5": "is not a list",
    "meters: [5, null, []]": "is not a mapping",
    "plans: [{version: " + "9" * 100_000 + "}]": "is missing",
}


@pytest.mark.parametrize(("text", "problem"), HOSTILE.items(), ids=lambda text: text[:30])
def test_a_hostile_text_is_told_in_a_sentence(text: str, problem: str) -> None:
    loaded = load_catalog(text, "c.yaml")
    assert not loaded.ok
    assert problem in loaded.problems[0].problem
    assert all(len(str(each)) < 400 for each in loaded.problems)


def test_bytes_that_are_no_text_are_told_at_their_line() -> None:
    (problem,) = load_catalog(b"meters:\n- key: \xff\n", "c.yaml").problems
    assert (problem.line, problem.value, problem.problem) == (2, "byte 0xff", "is not UTF-8 text")


def test_a_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_bytes(b"a: b\n" * 2_000_000)
    (problem,) = load_catalog(path).problems
    assert problem.problem == "is too large"
    assert BYTES_MAX == 4_194_304


def test_many_values_are_refused_by_their_number() -> None:
    found = read_source(b"a: [" + b"1," * (NODES_MAX + 5) + b"]", "c.yaml")
    assert isinstance(found, CatalogProblem)
    assert found.problem == "are too many, aliases unfolded"


@pytest.mark.parametrize("name", ["", "nowhere.yaml"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    (problem,) = load_catalog(tmp_path / name).problems
    assert problem.problem.startswith("cannot be read: ")


def test_a_byte_order_mark_and_crlf_do_no_harm() -> None:
    assert load_catalog("﻿meters: []\r\n", "c.yaml").ok
