"""The local stack under the demo: up before it, and down again after a run that did not end well."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from streams.cli.output import FAILED
from streams.demo.processes import program
from streams.uninterrupted import uninterrupted

UP_STOP_S = 15.0


@contextmanager
def stack(screen: Console) -> Iterator[None]:
    """The local stack, up. It is taken down again only where this run brought it up and did not end well."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    was_up = _is_up()
    try:
        screen.print("[bold]1/4[/] the local stack: Kafka and ClickHouse")
        if _up() != 0:
            was_up = True  # It has said why, and stopped what it had started.
            raise typer.Exit(FAILED)
        yield
    except BaseException:
        if not was_up:
            with ignoring_ctrl_c():
                screen.print("stopping the local stack …")
                subprocess.run(
                    program("down"), start_new_session=True, stdout=subprocess.DEVNULL, check=False
                )
        raise


def _is_up() -> bool:
    answer = subprocess.run(program("status", "--json"), capture_output=True, check=False)
    try:
        return bool(json.loads(answer.stdout)["kafka"]["state"] == "running")
    except (ValueError, KeyError, TypeError):
        return False


def _up() -> int:
    """The exit status of `azotte up`. It does not see Ctrl-C, which could come while it is being started: it is told of it."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        with uninterrupted():
            running.append(subprocess.Popen(program("up"), start_new_session=True))
        return running[0].wait()
    except KeyboardInterrupt:
        with ignoring_ctrl_c():
            for process in running:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(UP_STOP_S)
                except subprocess.TimeoutExpired:
                    process.kill()
        raise


@contextmanager
def ignoring_ctrl_c() -> Iterator[None]:
    """Who presses Ctrl-C again does not leave half of what is being stopped."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
