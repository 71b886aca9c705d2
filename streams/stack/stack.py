"""Up, down, status of the local stack.

`up` starts what is not there yet, waits until it answers, makes the topics and the tables, and says where everything
is. A lock file keeps two of them from racing. What an interrupted `up` had started, it stops again.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from streams import clock
from streams.settings import Settings
from streams.stack import broker, clickhouse, killed
from streams.stack.config import StackConfig
from streams.stack.errors import StackError
from streams.stack.process import Daemon

PURGED_FOLDERS = ("kafka", "clickhouse", "logs", "slots", "sink")
PURGED_FILES = ("kafka.controller.port", "kafka.properties", "kafka.controller.properties")
"""What is made under `AZOTTE_HOME`, but for the fetched jars and the lock."""
Progress = Callable[[str], None]
GOING_S = 5.0
"""How long a process that does not answer may take to go or to answer."""


def up(settings: Settings, progress: Progress) -> dict[str, Any]:
    """Start what is missing and describe the stack, as `status` does. Raises `StackError`."""
    config = StackConfig.of(settings)
    if config.own_kafka and config.own_clickhouse and config.kafka_port == config.clickhouse_port:
        raise StackError(
            f"AZOTTE_KAFKA_PORT and AZOTTE_CLICKHOUSE_PORT are both {config.kafka_port}: set one of them to another"
        )
    started: list[Daemon] = []
    with _locked(config):
        try:
            _start_missing(config, progress, started)
            progress("making topics")
            _prepare(settings, progress)
            described = status(settings)
            _all_running(config, described)
        except BaseException:
            for each in started:
                each.stop()
            raise
    return described


def _all_running(config: StackConfig, described: dict[str, Any]) -> None:
    """A full disk ends the broker only once it has answered."""
    stopped = [name for name, part in described.items() if part["state"] != "running"]
    if stopped:
        raise StackError(
            f"{' and '.join(stopped)} ended again right after the start, as on a full disk: free some space under "
            f"{config.home}, or see the logs in {config.logs}"
        )


def down(settings: Settings, purge: bool) -> list[str]:
    """Stop what the local stack runs, and with `purge` delete its data; the names of what was stopped."""
    config = StackConfig.of(settings)
    with _locked(config):
        killed.daemon(config).stop()
        stopped = [each.name for each in (broker.daemon(config), clickhouse.daemon(config)) if each.stop()]
        if purge:
            for name in PURGED_FOLDERS:
                shutil.rmtree(config.home / name, ignore_errors=True)
            for name in PURGED_FILES:
                (config.home / name).unlink(missing_ok=True)
    return stopped


def status(settings: Settings) -> dict[str, Any]:
    """`{"kafka": {"bootstrap_servers", "state"}, "clickhouse": {"url", "state"}}`; a state is running or stopped."""
    config = StackConfig.of(settings)
    with ThreadPoolExecutor(2) as pool:
        kafka = pool.submit(broker.answers, config.bootstrap_servers, 2.0)
        tables = pool.submit(clickhouse.answers, config.clickhouse_address)
        return {
            "kafka": {"bootstrap_servers": config.bootstrap_servers, "state": _state(kafka.result())},
            "clickhouse": {"url": config.clickhouse_address, "state": _state(tables.result())},
        }


def _settled(process: Daemon, answers: Callable[[str], bool], where: str) -> None:
    """Wait for a process that is there and does not answer: one that was killed takes a moment to go."""
    deadline = clock.monotonic() + GOING_S
    while process.pid() is not None and not answers(where) and clock.monotonic() < deadline:
        clock.pause(0.05)


def _start_missing(config: StackConfig, progress: Progress, started: list[Daemon]) -> None:
    parts = (
        (
            config.own_clickhouse,
            clickhouse.daemon(config),
            clickhouse.answers,
            config.clickhouse_address,
            clickhouse.start,
        ),
        (config.own_kafka, broker.daemon(config), broker.answers, config.bootstrap_servers, broker.start),
    )
    for own, process, answers, where, start in parts:
        if own:
            _settled(process, answers, where)
        if own and process.pid() is None:
            started.append(process)
            start(config, progress)
        elif answers(where):
            progress(f"{process.name} is there already, at {where}")
        elif own:
            raise StackError(
                f"{process.name} runs as process {process.pid()} but does not answer at {where}: "
                "run azotte down and then azotte up, or set back the port that it was started with"
            )
        else:
            raise StackError(
                f"the settings name {where} for {process.name}, and nothing answers there: start it, or unset them"
            )


def _prepare(settings: Settings, progress: Progress) -> None:
    from streams.stack import topics_admin

    made = topics_admin.ensure(settings)
    if made:
        progress(f"{len(made)} topics made")
    progress("making tables")
    _tables(settings)


def _tables(settings: Settings) -> None:
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from sinks.clickhouse.client import Server, connect
    from sinks.clickhouse.migrate import MigrationError, migrate

    named = settings.clickhouse
    server = Server(
        named.host, named.port, named.user, named.password, named.scheme == "https", named.database
    )
    try:
        with connect(server) as client:
            migrate(client)
    except MigrationError as error:
        raise StackError(str(error)) from None
    except (ClickHouseError, OSError) as error:
        words = " ".join(str(error).split())[:300]
        raise StackError(f"the tables cannot be made in ClickHouse at {named.address}: {words}") from None


def _state(answers: bool) -> str:
    return "running" if answers else "stopped"


@contextmanager
def _locked(config: StackConfig) -> Iterator[None]:
    try:
        config.home.mkdir(parents=True, exist_ok=True)
        lock = (config.home / "stack.lock").open("w")
    except OSError as error:
        raise StackError(
            f"{config.home} cannot be used ({error.strerror}): set AZOTTE_HOME to a folder that can be written"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
