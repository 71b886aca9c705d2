"""`azotte run`: the demo."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.output import WRONG_USAGE, fail, settings_or_fail


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("run")(run)


def run(
    length: Annotated[str, typer.Option("--for", help="How long, from the first event on: 30s, 5m.")] = "60s",
    rate: Annotated[int, typer.Option(min=1, max=20_000, help="Events a second, on average.")] = 500,
    seed: Annotated[int, typer.Option(help="Decides what is published; the same seed, the same usage.")] = 1,
) -> None:
    """Show everything: set up, publish sample usage, watch the charges.

    The local stack stays up afterwards, for you to ask ClickHouse and follow the topics; `azotte down` stops it.
    """
    from streams.durations import read_duration

    try:
        length_us = read_duration(length)
    except ValueError as error:
        fail(f"--for {length!r} {error}", WRONG_USAGE)
    if not 1_000_000 <= length_us <= 86_400_000_000:
        fail(f"--for {length} is not between 1s and 24h", WRONG_USAGE)
    settings = settings_or_fail()
    from streams.demo.run import run as demo

    demo(settings, length_us / 1_000_000, rate, seed)
