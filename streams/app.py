"""The application: `faust -A streams.app worker` and `azotte worker` start the same.

Faust is the frame: the app, its agents on channels, supervision, signals and web pages. The bytes move in batches, by
the stages; an agent takes a stage's batch from its channel and does the work on it.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import faust
from aiohttp.web import Response
from faust.app.base import BootStrategy
from faust.web.base import Web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.control.service import ControlStage
from streams.kafka import Stop
from streams.normalize.service import NormalizeStage
from streams.rate.service import RateStage
from streams.settings import Settings, load_settings
from streams.settings_errors import SettingsInvalid
from streams.slot import NoSlot, Slot, take
from streams.stage import Stage, log
from streams.web import Pages, listen
from streams.zones import use_pinned

STAGES: dict[str, Callable[[Settings, Slot, Callable[[str], None]], Stage]] = {
    "control": ControlStage,
    "normalize": NormalizeStage,
    "rate": RateStage,
}
NOTIFY = "notify-"
"""And then the address: each has a stage of its own."""


def stages_of(settings: Settings) -> tuple[str, ...]:
    """The stages that this process runs: the settings', or the sink alone where `azotte sink` says so."""
    chosen = os.environ.get("AZOTTE_RUN_SINK")
    if chosen:
        return ("sink",)
    notify = tuple(NOTIFY + name for name in settings.webhooks)
    if settings.stages == "notify":
        return notify
    return (*STAGES, *notify) if settings.stages == "all" else (settings.stages,)


class Boot(BootStrategy):
    """Web and agents, without the consumer and the producer of Faust's own.

    The stages have theirs. Faust's would join a group that has nothing to read, and a process that starts after
    another was killed would wait for that group's session timeout, a minute, before its stages do.
    """

    enable_kafka = False


class Application(faust.App):
    """Faust's app, with the stages that it runs, the slot that is theirs, and the words of the one that failed, if any."""

    BootStrategy = Boot
    stages: dict[str, Stage]
    slot: Slot
    """Held here, since its lock ends with it: a slot that nobody holds is the next worker's, ids and producers with it."""
    failure: str | None = None
    listening: socket.socket
    """Where the web pages are."""

    def _new_web(self) -> Web:
        return Pages(self)

    async def on_stop(self) -> None:
        """The stages end side by side: each may have to wait for its clients."""
        ends = await asyncio.gather(*(stage.stop() for stage in self.stages.values()), return_exceptions=True)
        for name, end in zip(self.stages, ends, strict=True):
            if end is not None:
                log.error("%s did not close", name, exc_info=end)
        await super().on_stop()


def build(settings: Settings, listening: socket.socket) -> Application:
    """The Faust application with its stages, agents and pages."""
    use_pinned()
    stages = stages_of(settings)
    # A sink beside a worker takes no slot of it: the number decides whose ids lie there.
    slot = take(settings.home / "sink" if stages == ("sink",) else settings.home)
    app = Application(
        f"{settings.topic_prefix}azotte",
        broker=f"kafka://{settings.bootstrap_servers.replace(',', ';kafka://')}",
        datadir=str(slot.folder / "faust"),
        store="memory://",
        topic_replication_factor=1,
        topic_partitions=1,
        web_host=settings.web_host,
        web_port=listening.getsockname()[1],
        web_bind=settings.web_host,
        loghandlers=[],
        autodiscover=False,
    )
    app.listening = listening
    failed = functools.partial(_failed, app)
    running: dict[str, Stage] = {}
    for name in stages:
        running[name] = _stage(name, settings, slot, failed)
        _agent(app, name, running[name])
    if isinstance(normalize := running.get("normalize"), NormalizeStage):
        normalize.rate = running.get("rate")
    app.stages, app.slot = running, slot
    _pages(app, running)

    async def start_stages() -> None:
        # Faust holds back what goes into a channel until its consumer has its partitions: it has none here.
        app.flow_control.resume()
        for stage in running.values():
            await app.add_runtime_dependency(stage)

    app.task(start_stages)
    return app


def _stage(name: str, settings: Settings, slot: Slot, failed: Callable[[str], None]) -> Stage:
    if name == "sink":
        from streams.sink.service import SinkStage

        return SinkStage(settings, failed)
    if name.startswith(NOTIFY):
        from streams.notify.service import NotifyStage

        return NotifyStage(settings, name.removeprefix(NOTIFY), failed)
    return STAGES[name](settings, slot, failed)


def _agent(app: faust.App, name: str, stage: Stage) -> None:
    stage.channel = app.channel(maxsize=1)

    async def handle(batches: Any) -> None:
        async for batch in batches:
            await asyncio.get_running_loop().run_in_executor(None, batch.run)

    app.agent(stage.channel, name=name, concurrency=1)(handle)


def _failed(app: Application, words: str) -> None:
    """A stage cannot go on: the process ends with status 1, loudly."""
    if app.failure is None:
        app.failure = words
        sys.stderr.write(f"azotte: {words}\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGTERM)


def _pages(app: faust.App, stages: dict[str, Stage]) -> None:
    @app.page("/healthz", name="healthz")
    async def healthz(web: Any, request: Any) -> Any:
        return Response(text="ok\n")

    @app.page("/readyz", name="readyz")
    async def readyz(web: Any, request: Any) -> Any:
        waiting = [name for name, stage in stages.items() if not stage.ready]
        return (
            Response(text="ok\n")
            if not waiting
            else Response(status=503, text=f"waiting for {', '.join(waiting)}\n")
        )

    @app.page("/metrics", name="metrics")
    async def metrics_page(web: Any, request: Any) -> Any:
        return Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _load() -> Application:
    try:
        settings = load_settings()
        return build(settings, listen(settings.web_host, settings.web_port))
    except (SettingsInvalid, NoSlot, Stop) as error:
        sys.stderr.write(f"azotte: {error}\n")
        raise SystemExit(1) from None


def __getattr__(name: str) -> Any:
    """`app` is made when it is asked for, so that importing this module takes no slot."""
    if name != "app":
        raise AttributeError(name)
    made = globals()["app"] = _load()
    return made
