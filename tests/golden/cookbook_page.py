"""The parts of a recipe's page that are generated: its catalog, and what goes in and comes out, line by line.

`python -m tests.golden.cookbook_page` writes them into the pages anew; a test compares.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from rating.times import parse_time
from tests.golden import cookbook
from tests.golden.cookbook import CHARGES, ENTITLEMENTS, FOLDER, LEDGER, THRESHOLDS, UNTIL, Json, Recipe

_COMMON = frozenset({"id", "tenant", "account", "type", "time", "source", "was"})


def rendered(what: Recipe) -> str:
    """The page with its generated parts as the recipe's files want them."""
    catalog = (FOLDER / what.name / "catalog.yaml").read_text("utf-8")
    page = _put(what.page, "catalog", f"```yaml\n{catalog}```")
    return _put(page, "records", "\n".join(_table(what)))


def _put(page: str, name: str, text: str) -> str:
    pattern = rf"(<!-- {name}[^>]*-->\n).*?(<!-- /{name} -->)"
    after, count = re.subn(pattern, lambda found: f"{found[1]}{text}\n{found[2]}", page, flags=re.S)
    assert count == 1, f"the page has no one place for {name}"
    return after


def _table(what: Recipe) -> Iterator[str]:
    yield "| line | time | what goes in | what comes out |"
    yield "|---|---|---|---|"
    clock = ""
    for number, line in enumerate([*what.inputs, {UNTIL: {"time": what.until}}], 1):
        ((kind, value),) = line.items()
        late = bool(clock) and parse_time(value["time"]) < parse_time(clock)
        clock = clock if late else value["time"]
        after = UNTIL if kind == UNTIL else number
        out = [_out(each, clock) for each in what.expected if each["after"] == after]
        into = "the clock goes on" if kind == UNTIL else _in(kind, value, many=_many(what))
        yield f"| {after} | {_short(value['time'])}{' (late)' if late else ''} | {into} | {'<br>'.join(out)} |"


def _many(what: Recipe) -> bool:
    return (
        len({value.get("account", value.get("subject")) for each in what.inputs for value in each.values()})
        > 1
    )


def _short(time: str) -> str:
    text = time[5:19].replace("T", " ")
    return text.removesuffix(":00")


def _in(kind: str, value: Json, many: bool) -> str:
    who = f" of {value.get('account', value.get('subject'))}" if many else ""
    if kind == "event":
        return f"event `{value['id']}`{who}: {value['type']}, {_fields(value['data'])}"
    shown = {name: field for name, field in value.items() if name not in _COMMON}
    if "now" in shown:
        shown["now"] = value["now"]["data"]
    return f"`{value['type']}`{who}: {_fields(shown)}"


def _fields(fields: Json) -> str:
    def text(value: object) -> str:
        if isinstance(value, str | int):
            return f"{value:,}" if isinstance(value, int) else value
        return f"`{json.dumps(value)}`"

    return ", ".join(f"{name} {text(value)}" for name, value in fields.items())


def _out(record: Json, clock: str) -> str:
    value = record["value"]
    text = {CHARGES: _charge, LEDGER: _ledger, THRESHOLDS: _threshold, ENTITLEMENTS: _access}.get(
        record["topic"], lambda found: f"rejected: `{found['error']}`"
    )(value)
    own = value.get("time")
    return (
        text
        if own is None or parse_time(own) == parse_time(clock)
        else f"{_short(own.partition('.')[0])} {text}"
    )


def _charge(value: Json) -> str:
    name = "/".join([value["charge"], *value.get("dimensions", {}).values()])
    late = ", late" if value.get("late") else ""
    if value["kind"] == "close":
        found = value["rounded"]
        return f"**{name}** closed: {found['amount']}, due {found['amount_due']}{late}"
    kind = "" if value["kind"] == "usage" else f" {value['kind']}"
    unit = value.get("pricing_unit")
    units = f" ({unit['amount']} {unit['unit']}, {unit['applied']} paid)" if unit else ""
    paid = (
        ""
        if value["credits_applied"] == "0"
        else f", credits {value['credits_applied']}, due {value['amount_due']}"
    )
    return f"**{name}**{kind} {value['amount']}{units}{paid}{late}"


def _ledger(value: Json) -> str:
    return f"`{value['grant']}` {value['entry']} {value['amount']}, {value['balance']} {value['unit']} left"


def _threshold(value: Json) -> str:
    return f"limit `{value['limit']}` at {value['threshold']} %: {value['state']}, value {value['value']}"


def _access(value: Json) -> str:
    until = f" until {_short(value['resets_at'].partition('.')[0])}" if "resets_at" in value else ""
    return f"access to {value['feature']}: {'yes' if value['access'] else 'no'}, `{value['reason']}`{until}"


def main() -> None:
    """Write every page's generated parts."""
    for name in cookbook.names():
        (FOLDER / name / "README.md").write_text(rendered(cookbook.recipe(name)), "utf-8")


if __name__ == "__main__":
    main()
