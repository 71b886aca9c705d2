"""The program `azotte`: every command, each loaded when it is asked for.

A command group is a module `streams/cli/NAME.py` with `register(app)`, which adds its commands to a typer app. `COMMANDS`
says which module has which command, with the one line that `azotte --help` shows, so that neither start-up nor the help
imports a module that is not needed: `azotte quote` starts without Kafka's, ClickHouse's or Faust's libraries.
"""

from __future__ import annotations

import importlib
import re
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_group


class Entry(NamedTuple):
    """Where a command is, and what it does in a line."""

    module: str
    what: str


COMMANDS: dict[str, Entry] = {
    "run": Entry("run", "Show everything: set up, publish sample usage, watch the charges."),
    "up": Entry("stack", "Start the local stack: broker, ClickHouse, topics, tables."),
    "down": Entry("stack", "Stop the local stack."),
    "status": Entry("stack", "Show where the local stack is and whether it answers."),
    "doctor": Entry("stack", "Check what the local stack needs, and say what is missing."),
    "worker": Entry("worker", "Run the streaming worker."),
    "sink": Entry("sink", "Move the topics into ClickHouse."),
    "gateway": Entry("gateway", "Answer access and take events over HTTP."),
    "catalog": Entry("catalog", "Check, compare, publish, print a catalog."),
    "account": Entry("accounts", "Set an account's parent, name, time zone and notes."),
    "subscribe": Entry("commands", "Subscribe an account to a plan."),
    "cancel": Entry("commands", "End a subscription."),
    "grant": Entry("commands", "Grant credits to an account."),
    "void-grant": Entry("commands", "Take back what is left of a grant."),
    "limit": Entry("limit", "Set and remove limits of an account's own."),
    "register-subject": Entry("subjects", "Make a user, a team or an API key part of an account."),
    "remove-subject": Entry("subjects", "Take a subject from its account."),
    "retract": Entry("corrections", "Take back a usage event."),
    "amend": Entry("corrections", "Replace a usage event by what it should have been."),
    "unpark": Entry("commands", "Let an account that an internal fault stopped go on."),
    "produce": Entry("produce", "Publish usage events from a file or stdin."),
    "redrive": Entry("redrive", "Publish rejected events again."),
    "webhooks": Entry("webhooks", "Try an address, send dead letters again, make a secret."),
    "quote": Entry("quote", "Price usage without any server."),
    "simulate": Entry("simulate", "Run the whole rating offline over events and commands."),
    "tail": Entry("tail", "Follow a topic, as a table."),
    "watch": Entry("watch", "Show an account's access, limits and credits as they change."),
    "ledger": Entry("ledger", "Show the balance of each grant of an account at any time."),
    "query": Entry("query", "Ask ClickHouse."),
    "settings": Entry("settings", "Show the settings in force, secrets masked."),
}


class _Commands(dict[str, Any]):
    """Names of `COMMANDS` to click commands; a module is imported when one of its commands is looked up."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        if found is None:
            part = typer.Typer(rich_markup_mode=None)
            importlib.import_module(f"streams.cli.{COMMANDS[name].module}").register(part)
            self.update({
                key: in_words(command) for key, command in get_group(part).commands.items() if key in self
            })  # fmt: skip
            found = super().__getitem__(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            return default
        return self[name]


_WORDS = {"str": "TEXT", "list[str]": "TEXT", "int": "N", "int range": "N", "path": "FILE"}


def in_words(command: Any) -> Any:
    """The command, its help saying what a value is in words instead of in Python's types."""
    for each in getattr(command, "commands", {}).values():
        # The whole first paragraph: left to itself, the group's help cuts it.
        each.short_help = each.short_help or " ".join((each.help or "").partition("\n\n")[0].split())
        in_words(each)
    for param in command.params:
        typed = param.display_type(None)
        word = _WORDS.get((typed or "").strip("<>"))
        if param.param_type_name == "argument":
            param.metavar = param.metavar or param.name.upper()
            if word is not None:
                # Its name is word enough.
                param.display_type_rich = lambda ctx: None
        elif typed is not None:
            param.metavar = param.metavar or word or re.sub(r"list\[(.*)\]", r"\1", typed)
    return command


class LazyGroup(TyperGroup):
    """A group whose commands come from `COMMANDS`; its help shows the lines that stand there."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = _Commands(dict.fromkeys(COMMANDS))

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.what) for name, entry in COMMANDS.items()])


app = typer.Typer(
    name="azotte",
    cls=LazyGroup,
    help="Usage metering and rating on Kafka and ClickHouse, exact to the last digit.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"azotte {version('azotte')}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Usage metering and rating on Kafka and ClickHouse, exact to the last digit."""
