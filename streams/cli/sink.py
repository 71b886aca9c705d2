"""`azotte sink`: the topics into ClickHouse."""

from __future__ import annotations

import os

import typer

from streams.cli.worker import SINK_PORT, run_application


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(sink)


def sink() -> None:
    """Move the topics into ClickHouse until it is told to stop."""
    os.environ["AZOTTE_RUN_SINK"] = "1"
    run_application(SINK_PORT)
