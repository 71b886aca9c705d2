"""The recipes of docs/cookbook: what is in their folders, and what `simulate`'s own engine makes of their input.

An output record is shown trimmed to the fields that matter, with the input line after whose reading it was printed:
what became due before that line comes with it, and what the clock brings at the end comes after `until`.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rating.times import parse_time
from schemas.catalog import LoadedCatalog, load_catalog
from streams.simulate import Shown, Simulation

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "cookbook"
UNTIL = "until"
CHARGES, LEDGER, THRESHOLDS = "billing.charges.v1", "billing.ledger.v1", "billing.thresholds.v1"
ENTITLEMENTS, REJECTED = "billing.entitlements.v1", "usage.rejected.v1"
FIELDS = {
    CHARGES: ("charge", "kind", "dimensions", "period_start", "quantity", "amount", "amount_total",
              "credits_applied", "amount_due", "pricing_unit", "late", "time"),
    LEDGER: ("grant", "entry", "amount", "unit", "balance", "time"),
    THRESHOLDS: ("limit", "threshold", "state", "value", "amount", "window_start", "window_end", "hard", "action",
                 "top_up", "time"),
    ENTITLEMENTS: ("feature", "access", "reason", "resets_at", "time"),
    REJECTED: ("error", "id"),
}  # fmt: skip
CLOSE = ("charge", "kind", "period_start", "quantity_total", "amount_total", "rounded", "late", "time")


class Recipe(NamedTuple):
    """One folder of the cookbook. `inputs` are the lines of input.ndjson, `expected` those of expected.ndjson."""

    name: str
    page: str
    catalog: LoadedCatalog
    inputs: tuple[Json, ...]
    expected: tuple[Json, ...]

    @property
    def command(self) -> list[str]:
        """The words of the page's `azotte simulate`, without `azotte`."""
        found = re.search(r"^```sh\nazotte (simulate .*?)^```$", self.page, re.M | re.S)
        assert found is not None, f"{self.name}: the page shows no azotte simulate"
        return shlex.split(found[1].replace("\\\n", " "))

    @property
    def until(self) -> str:
        return self.command[self.command.index("--until") + 1]


@cache
def recipe(name: str) -> Recipe:
    """The recipe in the folder `name`."""
    folder = FOLDER / name
    return Recipe(
        name,
        (folder / "README.md").read_text("utf-8"),
        load_catalog(folder / "catalog.yaml"),
        tuple(_lines(folder / "input.ndjson")),
        tuple(_lines(folder / "expected.ndjson")),
    )


def _lines(path: Path) -> Iterator[Json]:
    return (json.loads(line) for line in path.read_text("utf-8").splitlines())


def names() -> list[str]:
    """The folders of the cookbook."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


@cache
def run(name: str, without: tuple[str, ...] = ()) -> tuple[Json, ...]:
    """What comes out of a recipe, in the form of its expected.ndjson. `without`: fields that its plans then lack."""
    what = recipe(name)
    assert what.catalog.doc is not None, what.catalog.problems
    plans = [{key: plan[key] for key in plan if key not in without} for plan in what.catalog.doc["plans"]]
    simulation = Simulation({**what.catalog.doc, "plans": plans})
    found: list[tuple[int | str, Json]] = []
    for number, line in enumerate(what.inputs, 1):
        ((kind, value),) = line.items()
        printed = simulation.take(json.dumps(value).encode(), kind == "command")
        found += [(number, _printed(shown)) for shown in printed]
    found += [(UNTIL, _printed(shown)) for shown in simulation.advance(parse_time(what.until))]
    return tuple(_shown(found))


def _printed(shown: Shown) -> Json:
    """A record as `azotte simulate --json` prints it."""
    value = None if shown.value is None else json.loads(shown.value)
    return {"topic": shown.topic, "value": value, "headers": dict(shown.headers)}


def _shown(records: Iterable[tuple[int | str, Json]]) -> Iterator[Json]:
    for (after, record), short in zip(records, trimmed(record for _, record in records), strict=True):
        if short is not None:
            yield {"after": after, "topic": record["topic"], "value": short}


def trimmed(records: Iterable[Json]) -> Iterator[Json | None]:
    """Records as printed, to the fields that matter; `None` for what the cookbook does not show.

    Of entitlements only changes of access are shown. What is null, false or empty is left out, `access` apart.
    """
    access: dict[str, object] = {}
    for record in records:
        topic, value = record["topic"], record["value"]
        if topic not in FIELDS or value is None:
            yield None
            continue
        if topic == REJECTED:
            value = {"error": record["headers"]["error"], "id": value["id"]}
        if topic == ENTITLEMENTS:
            now = (value["access"], value["reason"])
            if access.get(value["feature"]) == now:
                yield None
                continue
            access[value["feature"]] = now
        yield {
            name: value[name]
            for name in _fields(topic, value)
            if name == "access" or value.get(name) not in (None, False, {}, "")
        }


def _fields(topic: str, value: Json) -> Iterator[str]:
    """The fields that are shown: no quantity of fees, no window of a balance, and who recovered buys nothing."""
    fields = CLOSE if topic == CHARGES and value["kind"] == "close" else FIELDS[topic]
    for name in fields:
        fee = topic == CHARGES and value["meter"] is None and name.startswith("quantity")
        balance = topic == THRESHOLDS and value["metric"] == "balance" and name.startswith("window")
        bought = topic == THRESHOLDS and value["state"] == "recovered" and name == "top_up"
        if not (fee or balance or bought):
            yield name


def on(topic: str, records: Iterable[Json]) -> list[str]:
    """A topic's records, in an order of their own: what is booked at one moment may stand in any."""
    return sorted(json.dumps(each, sort_keys=True) for each in records if each["topic"] == topic)
