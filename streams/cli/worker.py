"""`azotte worker`: the streaming worker."""

from __future__ import annotations

import enum
import os
from typing import Annotated

import typer

from streams.cli.output import fail, note, settings_or_fail

WORKER_PORT = 6066
SINK_PORT = 6067


class Stages(enum.StrEnum):
    """What a worker may run."""

    ALL = "all"
    CONTROL = "control"
    NORMALIZE = "normalize"
    RATE = "rate"
    NOTIFY = "notify"


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
    run_application(WORKER_PORT)


def run_application(port: int) -> None:
    """Run the Faust application in this process; its web pages are at `port` or the next free one, unless one is set."""
    from streams.cli.stack import reachable_or_fail
    from streams.kafka import Stop
    from streams.runner import run
    from streams.web import TRIED, listen, url

    settings = settings_or_fail()
    reachable_or_fail(settings)
    is_set = "web_port" in settings.model_fields_set
    try:
        with listen(settings.web_host, *((settings.web_port,) if is_set else (port, TRIED))) as listening:
            note(f"web pages (healthz, readyz, metrics): {url(listening)}")
            words = run(settings, listening)
    except Stop as error:
        fail(error)
    if words is not None:
        raise typer.Exit(1)
