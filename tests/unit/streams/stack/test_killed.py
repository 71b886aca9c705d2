"""Before a broker that was killed starts again, its session ends: told from its log, and nothing is left running."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streams.settings import Settings
from streams.stack import killed
from streams.stack.config import StackConfig
from streams.stack.errors import StackError

WAIT_S = 30.0


@pytest.fixture
def config(tmp_path: Path) -> StackConfig:
    return StackConfig.of(Settings(home=tmp_path))


def program(log: Path, words: str) -> list[str]:
    """A controller of our own: it writes to its log and stays."""
    return [sys.executable, "-c", f"import signal; open({str(log)!r}, 'w').write({words!r}); signal.pause()"]


def test_a_broker_that_ended_in_order_was_not_killed(config: StackConfig) -> None:
    config.kafka_data.mkdir(parents=True)
    assert killed.was_killed(config)
    (config.kafka_data / killed.CLEAN).touch()
    assert not killed.was_killed(config)


def test_the_controller_alone_has_the_broker_s_settings_but_for_its_role() -> None:
    found = killed.controller_alone(
        {
            "process.roles": "broker,controller",
            "listeners": "PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093",
            "advertised.listeners": "PLAINTEXT://127.0.0.1:9092",
            "log.dirs": "data",
        }
    )
    assert found == {
        "process.roles": "controller",
        "listeners": "CONTROLLER://127.0.0.1:9093",
        "log.dirs": "data",
        "broker.session.timeout.ms": 1_000,
        "broker.heartbeat.interval.ms": 500,
    }


def test_it_runs_until_the_broker_is_fenced_and_not_on(config: StackConfig) -> None:
    log = config.home / "session.log"
    log.write_text(f"{killed.FENCED} of the time before")
    killed.end_session(config, program(log, f"{killed.FENCED}at epoch 13"), log, log.exists, WAIT_S)
    assert log.read_text() == f"{killed.FENCED}at epoch 13"
    assert killed.daemon(config).pid() is None


def test_a_broker_without_a_session_is_not_waited_for_longer_than_it_lasts(
    config: StackConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(killed, "FENCE_S", 0.0)
    log = config.home / "session.log"
    killed.end_session(config, program(log, "nobody is here"), log, log.exists, WAIT_S)
    assert killed.daemon(config).pid() is None


def test_a_controller_that_ends_at_once_is_told(config: StackConfig) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('the folder is locked')"]
    with pytest.raises(StackError, match=r"kafka-controller ended at once: the folder is locked"):
        killed.end_session(config, command, config.home / "log", lambda: False, WAIT_S)
