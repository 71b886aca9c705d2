"""`azotte worker`: the streaming worker."""

from __future__ import annotations

import enum
import os
from typing import Annotated

import typer

from streams.cli.output import fail, settings_or_fail


class Stages(enum.StrEnum):
    """What a worker may run."""

    ALL = "all"
    CONTROL = "control"
    NORMALIZE = "normalize"
    RATE = "rate"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(worker)


def worker(
    stage: Annotated[
        Stages | None, typer.Option("--stage", help="The stages to run. [unless given: the setting]")
    ] = None,
) -> None:
    """Run the streaming worker until it is told to stop."""
    if stage is not None:
        os.environ["AZOTTE_STAGES"] = stage.value
    run_application()


def run_application() -> None:
    """Run the Faust application in this process."""
    from streams.cli.stack import reachable_or_fail
    from streams.kafka import Stop
    from streams.runner import run

    settings = settings_or_fail()
    reachable_or_fail(settings)
    try:
        words = run(settings)
    except Stop as error:
        fail(error)
    if words is not None:
        raise typer.Exit(1)
