"""`azotte catalog validate|diff|apply|show`: a catalog checked, compared, published and printed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.cli.output import FAILED, fail, note, print_json, say, settings_or_fail, unreadable
from streams.cli.send import name

if TYPE_CHECKING:
    from schemas.catalog import CatalogProblem, Change, LoadedCatalog

File = Annotated[str, typer.Argument(help="The catalog, YAML or JSON; - is stdin.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Whose catalog.")]
WAIT_S = 60


def register(app: typer.Typer) -> None:
    """Add the group `catalog`."""
    group = typer.Typer(
        help="Check, compare, publish, print a catalog.", no_args_is_help=True, rich_markup_mode=None
    )
    for command in (validate, diff, apply, show):
        group.command(command.__name__)(command)
    app.add_typer(group, name="catalog")


def validate(file: File, as_json: AsJson = False) -> None:
    """Check a catalog.

    Every problem is told with its line, field, value and remedy.
    """
    loaded = _load(file)
    if as_json:
        print_json({
            "file": loaded.file,
            "ok": loaded.ok,
            "problems": [problem.to_json() for problem in loaded.problems],
            "warnings": [warning.to_json() for warning in loaded.warnings],
        })  # fmt: skip
    else:
        _tell(loaded.problems, loaded.warnings)
        if loaded.ok:
            say(f"{loaded.file} is sound: {_contents(loaded)}")
    if not loaded.ok:
        raise typer.Exit(FAILED)


def diff(
    file: File,
    against: Annotated[
        str | None, typer.Option(help="Another catalog file. [unless given: the published one]")
    ] = None,
    tenant: Tenant = "default",
    as_json: AsJson = False,
) -> None:
    """Show what a catalog changes against another.

    The other is the published one unless --against names a file.
    """
    from schemas.catalog import check_publish
    from schemas.catalog import diff as changes_of

    loaded = _sound(file)
    assert loaded.doc is not None
    before = _sound(against).doc if against is not None else _published(tenant)
    changes = changes_of(before, loaded.doc)
    refused = check_publish(before, loaded)
    if as_json:
        print_json({
            "changes": [change.to_json() for change in changes],
            "refused": [problem.to_json() for problem in refused],
        })  # fmt: skip
        return
    for change in changes:
        say(_line(change))
    if not changes:
        say("no changes")
    _tell(refused)


def apply(
    file: File,
    tenant: Tenant = "default",
    command_id: Annotated[
        str | None, typer.Option("--id", help="The command's id: the same id is applied once.")
    ] = None,
    wait: Annotated[int, typer.Option(min=1, max=3600, help="Seconds to wait for the revision.")] = WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Publish a catalog.

    It returns when the catalog's revision is on `billing.catalog.v1`.
    """
    from streams.cli.catalog_topic import Refused, Silent, apply_catalog

    loaded = _sound(file)
    settings = settings_or_fail()
    name("--tenant", tenant)
    try:
        applied = apply_catalog(settings, tenant, loaded, command_id, wait)
    except Refused as refused:
        _tell(refused.problems)
        fail(refused)
    except Silent as silent:
        fail(silent)
    if as_json:
        print_json(
            {"tenant": tenant, "revision": applied.revision, "command": applied.command, "new": applied.new}
        )
    elif applied.new:
        say(f"revision {applied.revision} of tenant {tenant} is published: {_contents(loaded)}")
    else:
        say(f"revision {applied.revision} of tenant {tenant} has this content already: nothing was published")


def show(
    file: Annotated[
        str | None,
        typer.Argument(help="The catalog file. [unless given: the published one]", show_default=False),
    ] = None,
    tenant: Tenant = "default",
    as_json: AsJson = False,
) -> None:
    """Print a catalog in its canonical form.

    Defaults are left out, numbers and times are written one way.
    """
    doc = _sound(file).doc if file is not None else _published(tenant)
    if doc is None:
        fail(f"tenant {tenant} has no catalog yet: publish one with `azotte catalog apply FILE`")
    if as_json:
        print_json(doc)
        return
    import yaml

    say(yaml.safe_dump(_plain(doc), sort_keys=False, allow_unicode=True, width=110).rstrip())


def _plain(value: Any) -> Any:
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def _load(file: str) -> LoadedCatalog:
    from schemas.catalog import load_catalog
    from schemas.catalog.source import BYTES_MAX

    if file == "-":
        return load_catalog(sys.stdin.buffer.read(BYTES_MAX + 1), "stdin")
    return load_file(file, file)


def load_file(file: str, what: str) -> LoadedCatalog:
    """The catalog in a file, which messages call `what` where it cannot be read: that is wrong usage."""
    from schemas.catalog import load_catalog
    from schemas.catalog.source import BYTES_MAX

    try:
        with Path(file).open("rb") as stream:
            return load_catalog(stream.read(BYTES_MAX + 1), file)
    except OSError as error:
        unreadable(what, error)


def _sound(file: str) -> LoadedCatalog:
    """A catalog without problems, or the command ends with all of them told."""
    loaded = _load(file)
    if loaded.ok:
        return loaded
    _tell(loaded.problems)
    raise typer.Exit(FAILED)


def _published(tenant: str) -> Any:
    from streams.cli.catalog_topic import Silent, published

    try:
        found = published(settings_or_fail(), tenant)
    except Silent as silent:
        fail(silent)
    return None if found is None else found.doc


def _tell(
    problems: tuple[CatalogProblem, ...] | list[CatalogProblem], warnings: tuple[CatalogProblem, ...] = ()
) -> None:
    for problem in problems:
        note(f"azotte: {problem}")
    for warning in warnings:
        note(f"azotte: warning: {warning}")


def _contents(loaded: LoadedCatalog) -> str:
    assert loaded.doc is not None
    counts = [(name, len(items)) for name, items in loaded.doc.items() if isinstance(items, list)]
    return (
        ", ".join(
            f"{count} {name if count != 1 or name == 'fx' else name.removesuffix('s')}"
            for name, count in counts
        )
        or "empty"
    )


def _line(change: Change) -> str:
    sign = {"added": "+", "removed": "-", "changed": "~"}[change.kind]
    if not change.field:
        return f"{sign} {change.what}"
    return f"{sign} {change.what}: {change.field}: {_short(change.before)} -> {_short(change.after)}"


def _short(value: Any) -> str:
    import json

    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
