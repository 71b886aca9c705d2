"""Files are small, folders explain themselves, and nothing is bound to one machine."""

from __future__ import annotations

import re

import pytest

from tests.tidy.source import PACKAGES, ROOT, files, name

LINES_MAX = 300
LONGER: dict[str, str] = {}
"""Files that may be longer, with the reason. The list only shrinks."""
BYTES_MAX = 500_000
FOLDERS = (*PACKAGES, "tests", "docs", "deploy")
TEXT = frozenset(
    {".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".sql", ".txt", ".json", ".lock", ".properties", ""}
)
HOSTS = (
    "pypi" + r"\.org",
    "pythonhosted" + r"\.org",
    r"repo1?\.maven",
    "npmjs" + r"\.(?:org|com)",
    r"deb\.debian",
)
PLACES = (
    r"(?<![\w.])/work/",
    r"(?<![\w.])/root/",
    r"(?<![\w.])/home/[a-z]",
    r"(?<![\w.])/Users/[a-z]",
    r"\bC:\\Users",
)


def test_no_file_is_too_long_to_read() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files(suffix=".py")}
    wrong = [
        f"{path} has {lines} lines"
        for path, lines in lengths.items()
        if lines > LINES_MAX and path not in LONGER
    ]
    assert not wrong, f"a second concept lives in what is over {LINES_MAX} lines, split it: " + "; ".join(
        wrong
    )
    idle = [path for path in LONGER if lengths.get(path, 0) <= LINES_MAX]
    assert not idle, f"take from the list what is short again: {', '.join(idle)}"


def test_no_large_file_is_kept() -> None:
    wrong = [name(path) for path in files() if path.stat().st_size > BYTES_MAX]
    assert not wrong, f"over {BYTES_MAX:,} bytes, which is data and not source: {', '.join(wrong)}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_explains_itself(folder: str) -> None:
    page = ROOT / folder / "README.md"
    assert page.is_file(), (
        f"{folder} needs a README.md: purpose, invariants, a worked example, how to add one"
    )
    assert len(page.read_text(encoding="utf-8").split()) >= 40, f"{name(page)} says too little"


def test_nothing_is_bound_to_a_machine_or_a_registry() -> None:
    pattern = re.compile("|".join((*HOSTS, *PLACES)))
    wrong = [
        f"{name(path)}:{number} {found[0]!r}"
        for path in files()
        if path.suffix in TEXT and name(path) != "tests/tidy/test_files.py"
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (found := pattern.search(line))
    ]
    assert not wrong, "leave hosts and machine paths to settings: " + "; ".join(wrong)


def test_the_documentation_names_files_that_are_there() -> None:
    wrong = []
    for page in files(suffix=".md"):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                wrong.append(f"{name(page)} links to {target}")
    assert not wrong, "; ".join(wrong)
