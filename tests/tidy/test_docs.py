"""The pages are true where a test can see it: links lead somewhere, files and commands that they name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.cli.app import COMMANDS
from tests.tidy.source import PACKAGES, ROOT, files, name

PAGES = list(files(suffix=".md"))
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
_CELL = re.compile(r"^\| ([^|]+) \|", re.MULTILINE)
_FILE = re.compile(r"`([\w./-]+(?:\.(?:py|yaml|yml|sql|lock|in|properties)|/))`")
_COMMAND = re.compile(r"(?:^|[\s`/])azotte ([a-z][a-z-]+)(?=[\s`;,.)]|$)", re.MULTILINE)
_CODE = re.compile(r"```.*?```|`[^`\n]+`|^    .*$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_what_is_there(page: Path) -> None:
    for target in _LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{name(page)} links to {target}, which is not there"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_a_table_lists_are_there(page: Path) -> None:
    for cell in _CELL.findall(page.read_text()):
        for listed in _FILE.findall(cell):
            places = (page.parent / listed, ROOT / listed)
            assert any(place.exists() for place in places), f"{name(page)} lists {listed}, which is not there"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_a_page_names_exist(page: Path) -> None:
    for code in _CODE.findall(page.read_text()):
        for command in _COMMAND.findall(code):
            assert command in COMMANDS, f"{name(page)} names azotte {command}, which is no command"


@pytest.mark.parametrize("page", list(files(*PACKAGES, suffix="README.md")), ids=name)
def test_a_readme_names_every_module_of_its_folder(page: Path) -> None:
    said = {word for code in _CODE.findall(page.read_text()) for word in re.findall(r"\w+", code)}
    modules = {path.stem for path in page.parent.glob("*.py") if not path.stem.startswith("__")}
    assert modules <= said, f"{name(page)} does not say what is in {', '.join(sorted(modules - said))}"


def test_the_patterns_see_what_the_pages_hold() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert len(_LINK.findall(text)) > 15
    assert len([each for cell in _CELL.findall(text) for each in _FILE.findall(cell)]) > 40
    assert len([each for code in _CODE.findall(text) for each in _COMMAND.findall(code)]) > 30
