"""What a catalog changes against another: each section by key, then field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.catalog.document import SECTIONS

Doc = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: `kind` added, removed or changed; `what` names the item, `field` what of it (empty: the whole)."""

    kind: str
    what: str
    field: str = ""
    before: Any = None
    after: Any = None

    def to_json(self) -> dict[str, Any]:
        """The fields, as `--json` prints them."""
        return {name: getattr(self, name) for name in self.__slots__}


def diff(old: Doc | None, new: Doc) -> list[Change]:
    """The changes from one canonical document to another (`old` `None`: nothing is published yet).

    A plan version and a meter that `old` keeps as retired only, and `new` leaves out, is no change.
    """
    before, changes = old or {}, []
    retired = _retired(before)
    for section in SECTIONS:
        was, now = _by_name(section, before), _by_name(section, new)
        for name in [*was, *(name for name in now if name not in was)]:
            if name not in now:
                if name not in retired:
                    changes.append(Change("removed", name))
            elif name not in was or name in retired:
                changes.append(Change("added", name))
            if name in was and name in now:
                changes += [Change("changed", name, *each) for each in _fields(was[name], now[name], "")]
    changes += [
        Change("changed", "settings", *each)
        for each in _fields(before.get("settings", {}), new.get("settings", {}), "")
    ]
    return changes


def _retired(doc: Doc) -> set[str]:
    retired = doc.get("retired", {})
    return {
        *(f"meter {key}" for key in retired.get("meters", ())),
        *(f"feature {key}" for key in retired.get("features", ())),
        *(f"plan {key} version {version}" for key, version in retired.get("plans", ())),
    }


def _by_name(section: str, doc: Doc) -> dict[str, Doc]:
    return {_name(section, item): item for item in doc.get(section, ())}


def _name(section: str, item: Doc) -> str:
    if section == "plans":
        return f"plan {item['key']} version {item['version']}"
    if section == "fx":
        return f"fx {item['from']} to {item['to']} from {item['effective_from']}"
    if section == "costs":
        when = ", ".join(
            f"{name} {'/'.join(values)}" for name, values in sorted(item.get("when", {}).items())
        )
        return f"cost of {item['meter']}{f' ({when})' if when else ''} from {item['effective_from']}"
    return f"{section.removesuffix('s')} {item['key']}"


def _fields(was: Any, now: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if was == now:
        return
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for name in [*was, *(name for name in now if name not in was)]:
            yield from _fields(was.get(name), now.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(was, list) and isinstance(now, list) and (keyed := _keyed(was, now)) is not None:
        for name in [*keyed[0], *(name for name in keyed[1] if name not in keyed[0])]:
            yield from _fields(keyed[0].get(name), keyed[1].get(name), f"{path}[{name}]")
    else:
        yield path, was, now


def _keyed(was: list[Any], now: list[Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    for key in ("key", "feature"):
        if all(isinstance(each, Mapping) and key in each for each in [*was, *now]):
            return {each[key]: each for each in was}, {each[key]: each for each in now}
    return None
