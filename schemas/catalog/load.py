"""Reading a catalog: from a file, text, bytes or plain data, to a checked document or everything that is wrong with it.

loaded = load_catalog(Path("catalog.yaml"))
loaded.ok, loaded.problems, loaded.warnings, loaded.doc
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rating.catalog.publish import conflicts
from schemas.catalog.base import suggestion
from schemas.catalog.canonical import canonical
from schemas.catalog.checks import Items, check
from schemas.catalog.document import SECTIONS, CatalogDocument
from schemas.catalog.market import TenantSettings
from schemas.catalog.problems import CatalogProblem, Finding, Loc, at, field_path, findings, shown
from schemas.catalog.source import BYTES_MAX, Tree, read_source

PROBLEMS_MAX = 200
"""More than these help nobody."""


@dataclass(frozen=True, slots=True)
class LoadedCatalog:
    """A catalog as it was read. `document` and `doc` (its canonical form) are there where there are no problems."""

    file: str
    problems: tuple[CatalogProblem, ...]
    warnings: tuple[CatalogProblem, ...] = ()
    document: CatalogDocument | None = None
    doc: Mapping[str, Any] | None = None
    tree: Tree | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """Whether it may be used."""
        return self.document is not None


def load_catalog(source: Path | str | bytes, file: str | None = None) -> LoadedCatalog:
    """Read a catalog: a `Path` is opened, text and bytes are the catalog itself, named `file` in problems.

    Never raises for what a user can have written or named: everything wrong is in `problems`.
    """
    name = file or (str(source) if isinstance(source, Path) else "catalog")
    if isinstance(source, Path):
        try:
            with source.open("rb") as stream:
                raw = stream.read(BYTES_MAX + 1)
        except OSError as error:
            problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
            return LoadedCatalog(
                name, (CatalogProblem(name, 0, "", "", problem, "give the path of a catalog"),)
            )
        except ValueError:
            return LoadedCatalog(
                name, (CatalogProblem(name, 0, "", "", "is no path", "give the path of a catalog"),)
            )
    else:
        raw = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    tree = read_source(raw, name)
    if isinstance(tree, CatalogProblem):
        return LoadedCatalog(name, (tree,))
    return _checked(tree.value, tree, name)


def check_catalog(data: Any, file: str = "catalog") -> LoadedCatalog:
    """The same over plain data, as a command carries it; numbers in it are text, `Literal`, `int` or `Decimal`."""
    return _checked(data, None, file)


def _checked(data: Any, tree: Tree | None, file: str) -> LoadedCatalog:
    def placed(found: Iterable[Finding]) -> tuple[CatalogProblem, ...]:
        problems = {_placed(each, data, tree, file): None for each in found}
        return tuple(sorted(problems, key=lambda each: each.line))[:PROBLEMS_MAX]

    if not isinstance(data, dict):
        return LoadedCatalog(
            file, placed([Finding((), "is no catalog", "write meters: and plans: with lists")])
        )
    problems, valid = _items(data)
    items = Items({section: list(found) for section, found in valid.items()}, _named(data))
    crossed, warnings = check(items)
    problems += crossed
    if problems:
        return LoadedCatalog(file, placed(problems), placed(warnings), tree=tree)
    document = CatalogDocument(
        settings=TenantSettings.model_validate(data.get("settings") or {}),
        **{section: [each for _, each in found] for section, found in valid.items()},
    )
    return LoadedCatalog(file, (), placed(warnings), document, canonical(document), tree)


def _items(data: dict[str, Any]) -> tuple[list[Finding], dict[str, list[tuple[int, Any]]]]:
    """Each item by itself, so that a slip in one hides nothing that is wrong with another."""
    problems: list[Finding] = []
    valid: dict[str, list[tuple[int, Any]]] = {section: [] for section in SECTIONS}
    known = [*CatalogDocument.model_fields]
    for name in data:
        if name not in known:
            meant = suggestion(name, known)
            remedy = f"did you mean {meant}?" if meant else f"use one of {', '.join(known)}"
            problems.append(Finding((name,), "is no section of a catalog", remedy))
    _, found = _validate(TenantSettings, data.get("settings") or {}, ("settings",), data)
    problems += found
    for section, (model, most) in SECTIONS.items():
        items = data.get(section)
        if items is None:
            continue
        if not isinstance(items, list):
            problems.append(Finding((section,), "is not a list", "begin each item with -"))
            continue
        if len(items) > most:
            problems.append(Finding((section,), f"has {len(items)} items", f"keep at most {most}"))
            continue
        for index, item in enumerate(items):
            checked, found = _validate(model, item, (section, index), data)
            problems += found
            if checked is not None:
                valid[section].append((index, checked))
    return problems, valid


def _validate(
    model: type[BaseModel], item: Any, loc: Loc, data: dict[str, Any]
) -> tuple[BaseModel | None, list[Finding]]:
    models: dict[int, type[BaseModel]] = {}
    if not isinstance(item, dict):
        return None, [Finding(loc, "is not a mapping", "write fields, like {key: …}")]
    try:
        return model.model_validate(item, context=models), []
    except ValidationError as error:
        found = findings(error.errors(include_url=False, include_input=False), item, models)
        return None, [Finding((*loc, *each.loc), each.problem, each.remedy) for each in found]


def _named(data: dict[str, Any]) -> dict[str, set[str]]:
    """The keys that each section names, a misspelt section's too: one slip is told once."""
    named: dict[str, set[str]] = {section: set() for section in SECTIONS}
    for name, items in data.items():
        section = name if name in named else suggestion(name, named)
        if section is not None and isinstance(items, list):
            keys = (item.get("key") for item in items if isinstance(item, dict))
            named[section].update(key for key in keys if isinstance(key, str))
    return named


def _placed(finding: Finding, data: Any, tree: Tree | None, file: str) -> CatalogProblem:
    line = tree.line_of(finding.loc) if tree is not None else 0
    value = shown(at(data, finding.loc)) if finding.problem != "is missing" else ""
    return CatalogProblem(file, line, field_path(finding.loc), value, finding.problem, finding.remedy)


def check_publish(published: Mapping[str, Any] | None, loaded: LoadedCatalog) -> list[CatalogProblem]:
    """What of a sound catalog has other content than is published under the same key, so that `apply` refuses it."""
    assert loaded.doc is not None, "only a catalog without problems is published"
    problems = []
    for section, name in conflicts(published, loaded.doc):
        index = next(i for i, item in enumerate(loaded.doc[section]) if _name(section, item) == name)
        remedy = "give the plan another version" if section == "plans" else "give the meter another key"
        finding = Finding((section, index), "is published with other content, which never changes", remedy)
        line = loaded.tree.line_of(finding.loc) if loaded.tree is not None else 0
        problems.append(
            CatalogProblem(loaded.file, line, field_path(finding.loc), name, finding.problem, finding.remedy)
        )
    return problems


def _name(section: str, item: Mapping[str, Any]) -> str:
    return f"{item['key']} version {item['version']}" if section == "plans" else str(item["key"])
