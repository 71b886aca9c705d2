"""Runs the Faust application: its log, its signals, its end."""

from __future__ import annotations

import logging
import socket
import sys

from mode import Worker

from streams.kafka import Stop
from streams.settings import Settings
from streams.slot import NoSlot

SWITCH_S = 0.001
"""So long may a thread hold the interpreter while another wants it. Stages hand each batch from thread to thread a dozen times,
and with the usual 5 ms one that moves bytes would wait longer for one that rates than it takes for all of its work."""


def run(settings: Settings, listening: socket.socket) -> str | None:
    """Run until SIGTERM or SIGINT, with the web pages where it listens; the words of a failure, already said, or `None`.

    Raises `Stop`.
    """
    from streams.app import build

    sys.setswitchinterval(SWITCH_S)
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    for noisy in ("streams", "faust", "mode", "aiokafka", "aiohttp", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    # A database that is away is told of once, by the sink, in its own words.
    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    try:
        app = build(settings, listening)
    except NoSlot as error:
        raise Stop(str(error)) from None
    worker = Worker(
        app, loglevel=None, logging_config=None, override_logging=False, quiet=True, redirect_stdouts=False
    )
    try:
        worker.execute_from_commandline()
    except SystemExit as end:
        # Faust itself failed, in its own words.
        if end.code and app.failure is None:
            return "the application failed"
    return app.failure
