"""What a broker that was killed needs before it starts again: the cluster must know that it is dead.

Kafka 4.3 gives the old session its 9 s after the start. The broker has read its transactions by then and sends itself
their markers, which nobody takes; as the session ends its partitions have no leader for a moment, and markers that are
on their way are dropped and taken for written (KAFKA-20734): readers of committed records wait there for ever. So the
controller alone, with a session of a second, ends the session first; then the broker is registered at once and knows no
such moment. Both starts together are quicker than the session that is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streams import clock
from streams.stack.config import StackConfig
from streams.stack.process import Daemon

SESSION_MS = 1_000
FENCED = "Fencing broker 1 "
CLEAN = ".kafka_cleanshutdown"
"""The file that Kafka writes when it ends in order."""
FENCE_S = 5.0
"""How long the session may take to end, once the controller listens. Where there is none, as after two kills, nothing is told."""


def was_killed(config: StackConfig) -> bool:
    """Whether the broker that wrote this data did not end in order."""
    return not (config.kafka_data / CLEAN).exists()


def controller_alone(settings: dict[str, object]) -> dict[str, object]:
    """The settings of the controller without its broker."""
    own = {name: value for name, value in settings.items() if name != "advertised.listeners"}
    _, _, controller = str(settings["listeners"]).partition(",")
    return own | {
        "process.roles": "controller",
        "listeners": controller,
        "broker.session.timeout.ms": SESSION_MS,
        "broker.heartbeat.interval.ms": SESSION_MS // 2,
    }


def daemon(config: StackConfig) -> Daemon:
    """The controller's process, for as long as it takes."""
    return Daemon("kafka-controller", config.home, config.logs)


def end_session(
    config: StackConfig, command: list[str], log: Path, listens: Callable[[], bool], seconds: float
) -> None:
    """Run the controller, which logs to the file, until it has told that the broker is fenced. Raises `StackError`."""
    log.unlink(missing_ok=True)
    running = daemon(config)
    process = running.start(command)
    try:
        running.wait_until(listens, process, seconds)
        deadline = clock.monotonic() + FENCE_S
        while not _says(log, FENCED) and clock.monotonic() < deadline:
            clock.pause(0.02)
    finally:
        running.stop()


def _says(log: Path, words: str) -> bool:
    return log.exists() and words in log.read_text(errors="replace")
