"""What is not written in this repository, and what is written in its place."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.tidy.source import PACKAGES, files, name, tree


class Ban(NamedTuple):
    """A construct, where it is banned, what to write instead, and the files that may have it, with the reason."""

    pattern: str
    folders: tuple[str, ...]
    instead: str
    allowed: dict[str, str] = {}


BANNED = (
    Ban(r"(?<![\w.])float\(", ("rating", "schemas"), "exact integers of rating.numbers: a float changes money"),
    Ban(r"\bmath\.(?!gcd|isqrt|comb|prod)", ("rating", "schemas"), "integer arithmetic: most of math is floats"),
    Ban(r"(?<![\w.])round\(", ("rating", "schemas"), "the rounding of rating.numbers: rounding has one home"),
    Ban(r"\btime\.time(_ns)?\(|\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(", PACKAGES, "streams.clock, or a time "
        "as an argument", {"streams/clock.py": "the one module that asks"}),
    Ban(r"\btime\.sleep\(", ("tests",), "waiting for the fact itself: poll with a deadline through an Event or a consumer",
        {"tests/bench": "benchmarks wait for nothing that they assert"}),
    Ban(r"(?<![\w.])print\(", PACKAGES, "logging, or streams.cli.output in a command", {"streams/cli": "the command line"}),
    Ban(r"\bpytest\.(skip|importorskip|mark\.skip|mark\.skipif)\b", ("tests",), "the test itself: what is missing fails"),
    Ban(r"\bNotImplementedError\b", PACKAGES, "the thing, or no function at all"),
    Ban(r"(?<![\w.])(eval|exec)\(", PACKAGES, "a table of functions"),
    Ban(r"\b(describe_consumer_groups|(list|alter)_consumer_group_offsets)\(", PACKAGES, "streams.kafka.committed: librdkafka "
        "aborts the process where the broker goes away meanwhile"),
    Ban(r"\bpickle\b", PACKAGES, "msgpack with a version: import paths never become data"),
)  # fmt: skip


def code_lines(path: Path) -> Iterator[tuple[int, str]]:
    """A file's lines without comments and string contents."""
    text = path.read_text(encoding="utf-8")
    lines = [list(line) for line in text.splitlines()]
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            (first, begin), (last, end) = token.start, token.end
            for number in range(first, last + 1):
                line = lines[number - 1]
                left = begin if number == first else 0
                right = end if number == last else len(line)
                line[left:right] = " " * (right - left)
    return enumerate(("".join(line) for line in lines), 1)


@pytest.mark.parametrize("ban", BANNED, ids=lambda ban: ban.pattern)
def test_what_is_banned_is_not_written(ban: Ban) -> None:
    wrong = [
        f"{name(path)}:{line} {code.strip()[:80]!r}: use {ban.instead}"
        for path in files(*ban.folders, suffix=".py")
        if not any(name(path) == place or name(path).startswith(place + "/") for place in ban.allowed)
        for line, code in code_lines(path)
        if re.search(ban.pattern, code)
    ]
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(
        "|".join(rf"\b{word}\b" for word in ("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"))
    )
    wrong = [
        f"{name(path)}:{number}: do it now, or say in docs/decisions.md why not"
        for path in files()
        if path.suffix in {".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".sql"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_no_exception_is_swallowed_unnamed() -> None:
    wrong = [
        f"{name(path)}:{node.lineno}: name the exceptions, so that our own mistakes stay visible"
        for path in files(*PACKAGES, "tests", suffix=".py")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    assert not wrong, "\n".join(wrong)


def test_every_module_says_what_it_is() -> None:
    wrong = [
        f"{name(path)}: begin with a docstring: what it is, and the key idea"
        for path in files(*PACKAGES, "tests", suffix=".py")
        if path.stat().st_size and ast.get_docstring(tree(path)) is None
    ]
    assert not wrong, "\n".join(wrong)


def test_the_rules_look_at_code_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text('"""float(1)"""\nx = float(2)  # float(3)\n')
    assert [line for line, code in code_lines(path) if "float(" in code] == [2]
