"""The repository's own files, for the house rules to look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("rating", "schemas", "sinks", "streams")
"""From the kernel outwards: each may import itself and what stands before it."""
NOT_OURS = frozenset({"build", "dist", "node_modules", "__pycache__"})


def files(*folders: str, suffix: str = "") -> Iterator[Path]:
    """Files under these folders of the repository, or under all of it; nothing hidden, nothing generated."""
    for folder in [ROOT / name for name in folders] or [ROOT]:
        for path in sorted(folder.rglob(f"*{suffix}")):
            parts = path.relative_to(ROOT).parts
            hidden = any(
                (part.startswith(".") and part != ".ci") or part.endswith(".egg-info") for part in parts
            )
            if path.is_file() and not hidden and not NOT_OURS & set(parts):
                yield path


def name(path: Path) -> str:
    """The path as a message shows it."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def module(path: Path) -> str:
    """The dotted name of a Python file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each thing a file imports, inside functions too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"
