"""The application: its stages and agents by name, its pages, and the end of a stage that cannot go on."""

from __future__ import annotations

import asyncio
import functools
import gc
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import socket
from types import SimpleNamespace
from typing import Any

import pytest

from streams import app as module
from streams.normalize.service import NormalizeStage
from streams.slot import take
from streams.web import listen
from tests.unit.streams.fakes import settings


def pages(**ready: bool) -> Callable[[str], Any]:
    """The pages of a worker whose stages are so ready; asked by path."""
    handlers: dict[str, Any] = {}

    def page(path: str, name: str) -> Callable[[Any], Any]:
        assert name == path[1:]
        return lambda handler: handlers.setdefault(path, handler)

    fake: Any = SimpleNamespace(page=page)
    stages: Any = {name: SimpleNamespace(ready=value) for name, value in ready.items()}
    module._pages(fake, stages)
    assert set(handlers) == {"/healthz", "/readyz", "/metrics"}
    return lambda path: asyncio.run(handlers[path](None, None))


def test_a_process_that_answers_is_healthy() -> None:
    answer = pages(rate=False)("/healthz")
    assert (answer.status, answer.text) == (200, "ok\n")


def test_it_is_ready_when_all_its_stages_are_and_names_those_that_are_not() -> None:
    assert pages(control=True, rate=True)("/readyz").status == 200
    waiting = pages(control=True, normalize=False, rate=False)("/readyz")
    assert (waiting.status, waiting.text) == (503, "waiting for normalize, rate\n")


def test_metrics_are_prometheus_text() -> None:
    answer = pages()("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"# TYPE azotte_event_to_charge_seconds histogram" in answer.body


HOOK = {"url": "https://hooks.example/", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]}


@pytest.fixture
def listening() -> Iterator[socket]:
    with listen("127.0.0.1", 0) as found:
        yield found


@pytest.fixture
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZOTTE_RUN_SINK", raising=False)


@pytest.mark.usefixtures("nothing_set")
def test_the_settings_choose_the_stages_and_the_sink_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert module.stages_of(settings()) == ("control", "normalize", "rate")
    assert module.stages_of(settings(stages="rate")) == ("rate",)
    given = settings(webhooks=dict.fromkeys(("crm", "slack"), HOOK))
    assert module.stages_of(given) == ("control", "normalize", "rate", "notify-crm", "notify-slack")
    assert module.stages_of(given.model_copy(update={"stages": "notify"})) == ("notify-crm", "notify-slack")
    assert module.stages_of(given.model_copy(update={"stages": "rate"})) == ("rate",)
    monkeypatch.setenv("AZOTTE_RUN_SINK", "1")
    assert module.stages_of(settings(stages="rate")) == ("sink",)


@pytest.mark.usefixtures("nothing_set")
def test_an_application_has_an_agent_a_stage_named_as_it_and_takes_a_slot(
    tmp_path: Path, listening: socket
) -> None:
    made = module.build(settings(home=tmp_path, topic_prefix="p."), listening)
    assert list(made.stages) == ["control", "normalize", "rate"]
    assert {agent.name for agent in made.agents.values()} == {"control", "normalize", "rate"}
    assert all(agent.concurrency == 1 for agent in made.agents.values())
    assert all(not stage.ready and stage.channel is not None for stage in made.stages.values())
    assert made.conf.id == "p.azotte"
    normalize = made.stages["normalize"]
    assert isinstance(normalize, NormalizeStage)
    assert normalize.rate is made.stages["rate"]
    made.slot.close()


@pytest.mark.usefixtures("nothing_set")
def test_each_address_has_a_stage_and_an_agent_of_its_own(tmp_path: Path, listening: socket) -> None:
    made = module.build(settings(home=tmp_path, stages="notify", webhooks={"a": HOOK, "b": HOOK}), listening)
    assert list(made.stages) == ["notify-a", "notify-b"]
    assert {agent.name for agent in made.agents.values()} == {"notify-a", "notify-b"}
    assert made.stages["notify-a"].name_ == "notify-a"
    made.slot.close()


@pytest.mark.usefixtures("nothing_set")
@pytest.mark.parametrize("stages", ["all", "control", "normalize", "rate"])
def test_a_worker_keeps_its_slot_whichever_stages_it_runs(
    tmp_path: Path, listening: socket, stages: str
) -> None:
    made = module.build(settings(home=tmp_path, stages=stages), listening)
    gc.collect()
    second = take(tmp_path)
    assert (made.slot.number, second.number) == (0, 1)
    second.close()
    made.slot.close()


@pytest.mark.usefixtures("nothing_set")
def test_the_stages_of_an_application_end_side_by_side_and_one_that_fails_holds_up_no_other(
    tmp_path: Path, listening: socket, caplog: pytest.LogCaptureFixture
) -> None:
    made = module.build(settings(home=tmp_path), listening)

    async def main() -> list[str]:
        together = asyncio.Barrier(3)
        ended: list[str] = []

        async def stop(name: str) -> None:
            await together.wait()
            ended.append(name)
            if name == "normalize":
                raise RuntimeError("odd")

        fakes: Any = {name: SimpleNamespace(stop=functools.partial(stop, name)) for name in made.stages}
        made.stages = fakes
        await asyncio.wait_for(made.on_stop(), 10)
        return ended

    assert sorted(asyncio.run(main())) == ["control", "normalize", "rate"]
    assert "normalize did not close" in caplog.text
    made.slot.close()


def test_the_first_failure_is_told_in_one_line_and_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    signals: list[int] = []
    monkeypatch.setattr("os.kill", lambda pid, number: signals.append(number))
    app: Any = SimpleNamespace(failure=None)
    module._failed(app, "rate: the log is short")
    module._failed(app, "sink: so am I")
    assert capsys.readouterr().err == "azotte: rate: the log is short\n"
    assert (app.failure, signals) == ("rate: the log is short", [signal.SIGTERM])


def test_importing_the_module_starts_nothing() -> None:
    assert "app" not in vars(module)
    with pytest.raises(AttributeError):
        module.other  # noqa: B018 - asking is the test
