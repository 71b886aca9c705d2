"""Runs the Faust application: its log, its signals, its end."""

from __future__ import annotations

import contextlib
import errno
import logging
import socket

from mode import Worker

from streams.kafka import Stop
from streams.settings import Settings
from streams.slot import NoSlot


def run(settings: Settings) -> str | None:
    """Run until SIGTERM or SIGINT; the words of a failure, already said, or `None`. Raises `Stop`."""
    from streams.app import build

    _web_port(settings)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("faust", "mode", "aiokafka", "aiohttp", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # A database that is away is told of once, by the sink, in its own words.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    try:
        app = build(settings)
    except NoSlot as error:
        raise Stop(str(error)) from None
    worker = Worker(
        app, loglevel=None, logging_config=None, override_logging=False, quiet=True, redirect_stdouts=False
    )
    with contextlib.suppress(SystemExit):
        worker.execute_from_commandline()
    failure: str | None = app.failure
    return failure


def _web_port(settings: Settings) -> None:
    if not settings.web_port:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.web_host, settings.web_port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Stop(
                    f"web port {settings.web_port} is taken: set AZOTTE_WEB_PORT to a free port, or to 0 for any"
                ) from None
            raise Stop(f"web_host {settings.web_host} cannot be used: {error.strerror}") from None
