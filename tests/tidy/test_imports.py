"""Imports go downwards only, the kernel knows the standard library alone, and nothing lies about unused."""

from __future__ import annotations

import re
import sys

import pytest

from streams.cli.app import COMMANDS
from tests.tidy.source import PACKAGES, ROOT, files, imports, module, name

OUTSIDE = frozenset(
    {"os", "time", "random", "secrets", "logging", "socket", "subprocess", "threading", "asyncio", "uuid"}
)
"""Of the standard library, what the kernel may not use: it is given time and randomness, and has no environment."""
STARTED_BY_NAME = frozenset({"streams.cli", "streams.cli.__main__", "streams.app"})
"""Entry points: the program, `python -m streams.cli`, `faust -A streams.app`."""


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_go_downwards_only(package: str) -> None:
    above = set(PACKAGES[PACKAGES.index(package) + 1 :]) | {"tests"}
    wrong = [
        f"{name(path)}:{line} imports {what}: {package} may not know what is above it"
        for path in files(package, suffix=".py")
        for line, what in imports(path)
        if what.split(".")[0] in above
    ]
    assert not wrong, "\n".join(wrong)


def test_the_kernel_uses_the_standard_library_alone() -> None:
    allowed = (sys.stdlib_module_names | {"rating"}) - OUTSIDE
    wrong = [
        f"{name(path)}:{line} imports {what}: hand it in as an argument or a protocol"
        for path in files("rating", suffix=".py")
        for line, what in imports(path)
        if what.split(".")[0] not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_no_module_is_dead() -> None:
    used = STARTED_BY_NAME | {f"streams.cli.{entry.module}" for entry in COMMANDS.values()}
    named = "".join(path.read_text(encoding="utf-8") for path in files(*PACKAGES, suffix=".py"))
    used |= set(re.findall(r"-m[\"', ]+([a-z_.]+)", named + (ROOT / "Makefile").read_text(encoding="utf-8")))
    used |= {what for path in files(*PACKAGES, suffix=".py") for _, what in imports(path)}
    used |= {module(path) for path in files(*PACKAGES, suffix="__init__.py")}
    dead = [name(path) for path in files(*PACKAGES, suffix=".py") if module(path) not in used]
    assert not dead, f"nothing imports {', '.join(dead)}: delete it, or name how it is started"
