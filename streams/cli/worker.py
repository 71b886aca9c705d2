"""`azotte worker`: the streaming worker."""

from __future__ import annotations

import enum
import errno
import os
import socket
from typing import Annotated

import typer

from streams.cli.output import fail, note, settings_or_fail

WORKER_PORT = 6066
SINK_PORT = 6067
PORTS_TRIED = 100


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
    run_application(WORKER_PORT)


def run_application(port: int) -> None:
    """Run the Faust application in this process; its web pages are at `port` or the next free one, unless one is set."""
    from streams.cli.stack import reachable_or_fail
    from streams.kafka import Stop
    from streams.runner import run

    settings = settings_or_fail()
    reachable_or_fail(settings)
    if "web_port" not in settings.model_fields_set:
        settings = settings.model_copy(update={"web_port": free_from(settings.web_host, port)})
        note(f"web pages (healthz, readyz, metrics): http://{settings.web_host}:{settings.web_port}")
    try:
        words = run(settings)
    except Stop as error:
        fail(error)
    if words is not None:
        raise typer.Exit(1)


def free_from(host: str, port: int) -> int:
    """The first port from this one on that is free, so that workers and a sink on one machine need no setting."""
    for tried in range(port, port + PORTS_TRIED):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, tried))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
        return tried
    return 0
