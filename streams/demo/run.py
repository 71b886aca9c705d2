"""The demo itself: set up, publish for a while, show what comes out, sum up.

The set-up says what it does as it goes; the clock starts with the first event. Whatever ends it, Ctrl-C at any moment
included, stops the processes it started; the local stack stays up after a whole run and is stopped after a broken one,
if it was not up before.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from rating.times import parse_time
from schemas import topics
from streams import clock
from streams.cli.output import console, counted, fail
from streams.cli.publish import Publisher
from streams.demo import board, sample, warehouse
from streams.demo.outputs import Outputs
from streams.demo.processes import Children, program
from streams.demo.stack import stack
from streams.demo.tally import Tally
from streams.settings import Settings
from streams.stack import clickhouse
from streams.stack.process import free_port

READY_S = 90.0
DRAIN_S = 20.0
WAREHOUSE_S = 30.0
REFRESH_S = 0.25
LINE_S = 5.0
STEP_EVENTS_MAX = 2_000


def run(settings: Settings, length_s: float, rate: float, seed: int) -> None:
    """The whole demo: `rate` events a second on average for `length_s` seconds."""
    screen = console()
    with stack(screen), Children(settings.home / "logs") as children:
        outputs = _prepare(settings, children, screen)
        tally = Tally()
        try:
            seconds = _flow(settings, outputs, children, screen, tally, length_s, rate, seed)
            board.summary(screen, tally, seconds)
            _compare(settings, outputs, children, screen, tally)
        finally:
            outputs.close()
        screen.print("stopping the worker and the sink …")
        children.stop()
        _farewell(settings, screen)


def _prepare(settings: Settings, children: Children, screen: Console) -> Outputs:
    """Worker, sink, catalog, accounts."""
    port = free_port()
    screen.print("[bold]2/4[/] a worker and a sink")
    children.start("worker", "worker", environment={"AZOTTE_WEB_PORT": str(port)})
    children.start("sink", "sink", environment={"AZOTTE_WEB_PORT": "0"})
    _until_ready(f"http://127.0.0.1:{port}/readyz", children)
    screen.print("[bold]3/4[/] the catalog: three plans, four meters")
    with as_file(files("streams.demo") / "catalog.yaml") as path:
        applied = subprocess.run(
            program("catalog", "apply", str(path)),
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_S,
        )
    if applied.returncode != 0:
        fail(f"the catalog was not applied: {applied.stderr.strip() or applied.stdout.strip()}")
    outputs = Outputs(settings)
    screen.print(f"[bold]4/4[/] {len(sample.NAMES)} accounts with their subscriptions")
    now = clock.now()
    topic = settings.topic(topics.COMMANDS.name)
    with Publisher(settings, [topic]) as publisher:
        for command in sample.commands(month_start(now), now):
            key = f"{command['tenant']}/{command['account']}".encode()
            publisher.send(topic, key, json.dumps(command).encode(), [], f"command {command['id']}")
    if publisher.failed:
        fail(f"the accounts were not subscribed: {publisher.failed[0]}")
    return outputs


def month_start(now: int) -> int:
    """The beginning of the month, UTC, in microseconds."""
    from rating.times import format_time

    return parse_time(f"{format_time(now)[:7]}-01T00:00:00Z")


def _until_ready(url: str, children: Children) -> None:
    end = clock.monotonic() + READY_S
    while clock.monotonic() < end:
        _alive(children)
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.1)
    fail(f"the worker was not ready after {READY_S:.0f} s: see its log, {children.log('worker')}")


def _alive(children: Children) -> None:
    if (ended := children.ended) is not None:
        fail(ended)


def _flow(
    settings: Settings,
    outputs: Outputs,
    children: Children,
    screen: Console,
    tally: Tally,
    length_s: float,
    rate: float,
    seed: int,
) -> float:
    """Publish and watch until the time is over and what was published has come out. Seconds of publishing."""
    now = clock.now()
    usage = sample.Usage(seed, f"run-{now:x}", month_start(now))
    topic = settings.topic(topics.EVENTS.name)
    view = _View(screen, tally, length_s)
    with Publisher(settings, [topic]) as publisher, view:
        begin = clock.monotonic()
        previous, allowance, mood = 0.0, 0.0, 0
        while (elapsed := clock.monotonic() - begin) < length_s:
            allowance += (elapsed - previous) * rate * _wave(elapsed)
            previous = elapsed
            if int(elapsed) > mood:
                mood = int(elapsed)
                usage.burst()
                _alive(children)
            for _ in range(min(int(allowance), STEP_EVENTS_MAX)):
                record = usage.next(clock.now())
                publisher.send(topic, record.key, record.value, [], "event")
                tally.sent(record, clock.monotonic())
                allowance -= 1
            outputs.read(tally, 0.01)
            view.show(elapsed)
        publisher.flush()
        bad = tally.published[sample.Kind.BAD]
        end = clock.monotonic() + DRAIN_S
        while (tally.in_flight or tally.rejected.total() < bad) and clock.monotonic() < end:
            _alive(children)
            _delivered(publisher, settings)
            outputs.read(tally, 0.05)
            view.show(clock.monotonic() - begin)
    _delivered(publisher, settings)
    return min(elapsed, length_s)


def _delivered(publisher: Publisher, settings: Settings) -> None:
    if publisher.failures:
        fail(
            f"{counted(publisher.failures, 'event')} did not reach the broker at {settings.bootstrap_servers} ({publisher.failed[0]}): "
            "azotte status says whether it still runs; then run this again"
        )


def _wave(second: float) -> float:
    """Usage comes and goes: between 0.3 and 2.2 of the average, which is 1."""
    return (
        1
        + 0.6 * math.sin(second / 3)
        + (0.6 if int(second) % 10 == 4 else -0.1 if int(second) % 10 < 4 else 0)
    )


class _View:
    """The live board in a terminal, a line now and then elsewhere."""

    def __init__(self, screen: Console, tally: Tally, length_s: float) -> None:
        self._screen, self._tally, self._length = screen, tally, length_s
        self._live = Live(console=screen, auto_refresh=False, transient=True) if screen.is_terminal else None
        self._pause = REFRESH_S if self._live else min(LINE_S, max(1.0, length_s / 4))
        self._next = 0.0
        self._mark = (0.0, 0)

    def show(self, elapsed: float) -> None:
        """Draw, where it is time to."""
        if elapsed < self._next:
            return
        self._next = elapsed + self._pause
        then, count = self._mark
        rate = (self._tally.total - count) / max(elapsed - then, 0.001)
        if elapsed - then >= 1:
            self._mark = (elapsed, self._tally.total)
        if self._live:
            self._live.update(board.live(self._tally, elapsed, self._length, rate), refresh=True)
        elif elapsed:
            self._screen.print(board.line(self._tally, elapsed, rate))

    def __enter__(self) -> _View:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self._live:
            self._live.stop()


def _compare(settings: Settings, outputs: Outputs, children: Children, screen: Console, tally: Tally) -> None:
    """ClickHouse against the topic."""
    server = settings.clickhouse
    if not warehouse.wait_until_caught_up(server, outputs.last, WAREHOUSE_S, lambda: _alive(children)):
        if not clickhouse.answers(server.address):
            fail(
                f"no ClickHouse answers at {server.address} any more: azotte up starts it again, and azotte sink then brings "
                "what it missed"
            )
        screen.print(
            f"ClickHouse at {server.address} has not caught up yet; the sink goes on where it stopped"
        )
        return
    count, amount = warehouse.charged(server, outputs.begin, outputs.last)
    owed = sum(tally.amounts.values())
    same = (count, amount) == (tally.lines, owed)
    screen.print(
        f"ClickHouse has {count:,} charge lines, {board.money(amount)} USD: "
        + (
            "the same as the topic, to the last digit"
            if same
            else f"[bold red]the topic has {tally.lines:,}, {owed} USD[/]"
        )
    )


def _farewell(settings: Settings, screen: Console) -> None:
    azotte = own_name()
    server = settings.clickhouse
    sql = (
        "SELECT plan, charge, count() AS lines, sum(amount) AS amount FROM charges GROUP BY ALL ORDER BY ALL"
    )
    count = "SELECT meter, sum(value * sign) FROM usage_events GROUP BY meter"
    lines = [
        "",
        f"Kafka is up at {settings.bootstrap_servers}, ClickHouse at {server.address}. Ask ClickHouse:",
        f'  {azotte} query "{sql}"',
        f"  curl '{server.address}/?database={server.database}' --data-binary '{count}'",
        "See what is on a topic; without --from-beginning, what comes while a second run goes on in another terminal:",
        f"  {azotte} tail charges --from-beginning --limit 10",
        f"  {azotte} tail rejected --from-beginning --limit 10",
        "Stop everything:",
        f"  {azotte} down",
    ]
    for line in lines:
        screen.print(line, markup=False, soft_wrap=True)


def own_name() -> str:
    """How this program is called from the working folder: as it is on the PATH, else by its path."""
    import shutil

    own = Path(sys.executable).parent / "azotte"
    found = shutil.which("azotte")
    if found is not None and Path(found).resolve() == own.resolve():
        return "azotte"
    path = own if own.exists() else Path(sys.argv[0]).absolute()
    here = os.path.relpath(path)
    return str(path) if here.startswith("..") else here
