"""YAML or JSON text as plain data that has lost nothing, with the line of everything.

Numbers keep their literal text (`Literal`), times stay text, and only `true` and `false` are booleans: `on`, `yes` and
`no` are the texts that people mean by them. Read event by event, with limits on size, depth and what aliases unfold to,
so that no text, however hostile, costs more than they allow.

    read_source(raw, "catalog.yaml") -> Tree | CatalogProblem
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from schemas.catalog.base import Literal
from schemas.catalog.problems import CatalogProblem, field_path

BYTES_MAX = 4 * 1_048_576
"""A catalog is one record on `billing.catalog.v1`, whose limit is 8 MiB."""
NODES_MAX = 200_000
"""Values in a catalog, aliases unfolded."""
DEPTH_MAX = 40
_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_HALVES = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Tree:
    """A value with its line. `kids` are those of a mapping (by name) or a sequence (by index)."""

    value: Any
    line: int
    kids: dict[Any, Tree] = field(default_factory=dict)
    size: int = 1

    def line_of(self, path: tuple[str | int, ...]) -> int:
        """The line of what stands at the path, or of the innermost thing there that does."""
        node = self
        for step in path:
            if step not in node.kids:
                break
            node = node.kids[step]
        return node.line


class _Stop(Exception):
    def __init__(self, line: int, field_: str, value: str, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.where = (line, field_, value, problem, remedy)


def read_source(raw: bytes, file: str) -> Tree | CatalogProblem:
    """The tree of a catalog file's bytes, or why it cannot be read."""
    try:
        text = _decode(raw)
        return _Composer(text).document()
    except _Stop as stop:
        return CatalogProblem(file, *stop.where)
    except yaml.YAMLError as error:
        return CatalogProblem(file, *_syntax(error, text))


def _decode(raw: bytes) -> str:
    if len(raw) > BYTES_MAX:
        raise _Stop(
            1, "", f"{len(raw):,} bytes", "is too large", f"keep a catalog within {BYTES_MAX:,} bytes"
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _Stop(
            line, "", f"byte 0x{raw[error.start]:02x}", "is not UTF-8 text", "save the file as UTF-8"
        ) from None
    found = _CONTROL.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        raise _Stop(
            line, "", f"U+{ord(found[0]):04X}", "is a control character", "is this a text file? remove it"
        )
    if text.lstrip().startswith(("{", "[")):
        # A tab within a JSON text can only be space between tokens, and JSON escapes what is beyond U+FFFF as two
        # halves: YAML takes neither.
        return _HALVES.sub(lambda found: json.loads(f'"{found[0]}"'), text.replace("\t", " "))
    return text


def _syntax(error: yaml.YAMLError, text: str) -> tuple[int, str, str, str, str]:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = (mark.line if mark is not None else 0) + 1
    lines = text.split("\n")
    shown = lines[line - 1].strip()[:60] if line <= len(lines) else ""
    if line <= len(lines) and re.match(r"[ ]*\t", lines[line - 1]):
        return line, "", shown, "is indented by a tab", "indent with spaces"
    problem = str(getattr(error, "problem", None) or error).strip().rstrip(".")
    if "nesting depth" in problem:
        return line, "", "", f"is nested more than {DEPTH_MAX} deep", "make it flatter"
    return (
        line,
        "",
        shown,
        f"is not YAML or JSON: {problem}",
        "check quotes, brackets, colons and indentation here",
    )


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Composer:
    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = iter(yaml.parse(text, Loader=_LOADER))
        self._anchors: dict[str, Tree] = {}
        self._path: list[str | int] = []
        self._nodes = 0

    def document(self) -> Tree:
        root: Tree | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _Stop(
                        _line(event), "", "---", "begins a second document", "keep one catalog a file"
                    )
                root = self._node(next(self._events))
        if root is None or root.value is None:
            raise _Stop(1, "", "nothing", "is an empty catalog", "write meters and plans")
        return root

    def _child(self, event: Any, name: str | int) -> Tree:
        self._path.append(name)
        tree = self._node(event)
        self._path.pop()
        return tree

    def _stop(self, line: int, value: str, problem: str, remedy: str) -> _Stop:
        return _Stop(line, field_path(tuple(self._path)), value, problem, remedy)

    def _node(self, event: Any) -> Tree:
        line = _line(event)
        if len(self._path) > DEPTH_MAX:
            self._path.clear()
            raise self._stop(line, "", f"is nested more than {DEPTH_MAX} deep", "make it flatter")
        if isinstance(event, yaml.AliasEvent):
            tree = self._anchors.get(str(event.anchor))
            if tree is None:
                raise self._stop(
                    line, f"*{event.anchor}", "names no anchor that ends above it", "define it before"
                )
            self._count(tree.size, line)
            return tree
        self._count(1, line)
        self._untagged(event, line)
        if isinstance(event, yaml.ScalarEvent):
            tree = Tree(_scalar(event), line)
        elif isinstance(event, yaml.SequenceStartEvent):
            tree = self._sequence(line)
        else:
            tree = self._mapping(line)
        if event.anchor is not None:
            self._anchors[event.anchor] = tree
        return tree

    def _sequence(self, line: int) -> Tree:
        tree = Tree([], line)
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            kid = self._child(event, len(tree.value))
            tree.kids[len(tree.value)] = kid
            tree.value.append(kid.value)
            tree.size += kid.size
        return tree

    def _mapping(self, line: int) -> Tree:
        tree = Tree({}, line)
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key_line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._stop(key_line, "", "has a name that is no text", "write names of fields as texts")
            name = event.value
            if name == "<<" and event.implicit[0]:
                raise self._stop(
                    key_line, "<<", "is a merge key, which is not read here", "write the fields out"
                )
            if name in tree.value:
                first = tree.kids[name].line
                raise self._stop(key_line, name, f"comes twice, first on line {first}", "keep one")
            kid = self._child(next(self._events), name)
            # A mapping or list begins on the line after its name: the name is what an editor should show.
            tree.kids[name] = Tree(kid.value, key_line, kid.kids, kid.size) if kid.line != key_line else kid
            tree.value[name] = kid.value
            tree.size += kid.size
        return tree

    def _count(self, nodes: int, line: int) -> None:
        self._nodes += nodes
        if self._nodes > NODES_MAX:
            raise _Stop(line, "", f"{self._nodes:,} values", "are too many, aliases unfolded",
                        f"keep a catalog within {NODES_MAX:,} values")  # fmt: skip

    def _untagged(self, event: Any, line: int) -> None:
        """No value chooses what it is made into: a class of some language least of all."""
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            name = event.tag.replace("tag:yaml.org,2002:", "!!")[:60]
            raise self._stop(line, name, "is a tag, which is not read here", "remove the tag")


def _scalar(event: Any) -> Any:
    value = event.value
    if event.tag is None and event.implicit[0]:
        if value in _WORDS:
            return _WORDS[value]
        if _NUMBER.fullmatch(value):
            return Literal(value)
    return value
