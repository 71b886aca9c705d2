"""How a new catalog follows the published one: what is published under a key stands for ever.

A `(plan, version)` and a meter never change content. What the new catalog leaves out stays, marked retired: who has it
keeps it, and it takes no new subscriptions. A retired one that comes back, unchanged, is on offer again. The rest
(features, settings, storefronts, costs, fx, rules) is replaced, but for features that retired plans still name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Doc = Mapping[str, Any]


def conflicts(published: Doc | None, new: Doc) -> list[tuple[str, str]]:
    """What of `new` has other content than is published: ("meters" | "plans", name). Empty: it may be published."""
    if published is None:
        return []
    found = []
    for kind, key in (("meters", _meter), ("plans", _plan)):
        before = {key(each): each for each in published.get(kind, ())}
        found += [
            (kind, _name(key(each)))
            for each in new.get(kind, ())
            if key(each) in before and before[key(each)] != each
        ]
    return found


def publish(published: Doc | None, new: Doc) -> dict[str, Any]:
    """The whole document in force after `new`: the published one's left-outs are kept under `retired`.

    Both are canonical. Call `conflicts` before: content under a published key is taken from `new`.
    """
    result = {name: value for name, value in new.items() if name != "retired"}
    if published is None:
        return result
    meters = _kept(published, new, "meters", _meter)
    plans = _kept(published, new, "plans", _plan)
    named = {each["feature"] for plan in plans for each in _entitlements(plan)}
    features = [each for each in _kept(published, new, "features", _meter) if each["key"] in named]
    for kind, kept in (("meters", meters), ("features", features), ("plans", plans)):
        if kept:
            result[kind] = [*new.get(kind, ()), *kept]
    retired: dict[str, Any] = {
        "meters": [each["key"] for each in meters],
        "features": [each["key"] for each in features],
        "plans": [[each["key"], each["version"]] for each in plans],
    }
    retired = {kind: names for kind, names in retired.items() if names}
    return {**result, "retired": retired} if retired else result


_ENVELOPE = ("tenant", "revision", "command", "time")


def revision_value(tenant: str, revision: int, time: str, command: str, document: Doc) -> dict[str, Any]:
    """The value on `billing.catalog.v1`, key `tenant/revision`: the catalog, and as which revision, when and by which
    command it was put in force."""
    return {"tenant": tenant, "revision": revision, "command": command, "time": time, **document}


def read_revision(value: Doc) -> tuple[int, str, dict[str, Any]]:
    """The revision, its command and the canonical document of such a value."""
    doc = {name: each for name, each in value.items() if name not in _ENVELOPE}
    return int(value["revision"]), str(value["command"]), doc


def _entitlements(plan: Doc) -> Iterable[Doc]:
    yield from plan.get("entitlements", ())
    for override in plan.get("overrides", ()):
        yield from override.get("entitlements") or ()


def _kept(published: Doc, new: Doc, kind: str, key: Any) -> list[Doc]:
    there = {key(each) for each in new.get(kind, ())}
    return [each for each in published.get(kind, ()) if key(each) not in there]


def _meter(doc: Doc) -> str:
    return str(doc["key"])


def _plan(doc: Doc) -> tuple[str, int]:
    return doc["key"], doc["version"]


def _name(key: Any) -> str:
    return key if isinstance(key, str) else f"{key[0]} version {key[1]}"
