"""What `accept_past` asks of the log's topics and of the disk, checked when a worker starts.

Ids that are lost are built again from the log, so the log must reach back as far as they do; cells have nothing but
their changelog. A log that is too short stops the worker, since it would count a copy twice; a small disk is told.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka.admin import AdminClient, ConfigResource

from schemas import topics
from streams.durations import show_duration
from streams.kafka import ANSWER_S, Stop
from streams.settings import Settings
from streams.stage import log

ID_BYTES = 70
"""An id and its entry on disk, measured at 3 million; the set may hold twice what is alive (`IdStore.commit`)."""
Config = Mapping[str, str]


def check(settings: Settings, admin: AdminClient, folder: Path) -> None:
    """See the module. Raises `Stop`, or `KafkaException` where the broker does not answer."""
    names = [settings.topic(topic.name) for topic in (topics.LOG, topics.STATE)]
    asked = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names]
    configs = {
        resource.name: {name: entry.value for name, entry in future.result().items()}
        for resource, future in admin.describe_configs(asked, request_timeout=ANSWER_S).items()
    }
    kept, state = (configs[name] for name in names)
    for found in (log_problem(names[0], kept, settings.accept_past), state_problem(names[1], state)):
        if found is not None:
            raise Stop(f"rate: {found}")
    words = disk_problem(
        settings.expected_events_per_s, settings.accept_past, shutil.disk_usage(folder).free, folder
    )
    if words is not None:
        log.warning("rate: %s", words)


def log_problem(name: str, config: Config, accept_past: int) -> str | None:
    """What is wrong with the log's topic, if anything."""
    if "compact" in config["cleanup.policy"]:
        return f"{name} has cleanup.policy {config['cleanup.policy']}, and would lose usage: set it to delete"
    kept = int(config["retention.ms"])
    if 0 <= kept * 1_000 < accept_past:
        return (
            f"{name} keeps records for {show_duration(kept * 1_000)} (retention.ms), but ids must be built from it over "
            f"accept_past, {show_duration(accept_past)}: set it to at least {-(-accept_past // 1_000)}, or to -1"
        )
    if int(config["retention.bytes"]) >= 0:
        return (
            f"{name} has retention.bytes {config['retention.bytes']}, and may lose usage early: set it to -1"
        )
    return None


def state_problem(name: str, config: Config) -> str | None:
    """What is wrong with the changelog's topic, if anything."""
    if config["cleanup.policy"] != "compact":
        return (
            f"{name} has cleanup.policy {config['cleanup.policy']}, and would lose state: set it to compact"
        )
    return None


def disk_problem(events_per_s: int, accept_past: int, free: int, folder: Path) -> str | None:
    """Whether the ids of `accept_past` at this rate outgrow what is free, in bytes."""
    needed = 2 * ID_BYTES * events_per_s * (accept_past // 1_000_000)
    if needed <= free:
        return None
    return (
        f"{folder} has {_gb(free)} free, but the ids of accept_past {show_duration(accept_past)} at {events_per_s} events/s "
        f"(expected_events_per_s) take up to {_gb(needed)}: make room, or lower accept_past or the rate"
    )


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
