"""`azotte settings`: what is in force, secrets masked, and the documentation table."""

from __future__ import annotations

import typer

from streams.cli.output import print_fields, print_json, say, settings_or_fail


def register(app: typer.Typer) -> None:
    """Add `settings show` and `settings table`."""
    group = typer.Typer(
        help="Show the settings in force, secrets masked.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("show")(show)
    group.command("table")(table)
    app.add_typer(group, name="settings")


def show(as_json: bool = typer.Option(False, "--json", help="Print one JSON object.")) -> None:
    """Print every setting as it is in force, secrets masked."""
    from streams.settings_docs import in_force

    fields = dict(in_force(settings_or_fail()))
    if as_json:
        print_json(fields)
    else:
        print_fields(fields)


def table() -> None:
    """Print the documentation of all settings, docs/settings.md."""
    from streams.settings_docs import documentation

    say(documentation().rstrip("\n"))
