"""Up and down: what is ours to start, what is not, and what is said when it cannot be."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import confluent_kafka.admin
import pytest
from pydantic import SecretStr

from streams.settings import Settings
from streams.stack import broker, clickhouse, doctor, stack
from streams.stack.config import StackConfig
from streams.stack.errors import StackError
from streams.stack.process import Daemon, free_port


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens at, who answers nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def silent(words: str) -> None:
    """No progress."""


def test_settings_that_name_a_server_win(tmp_path: Path) -> None:
    local = StackConfig.of(Settings(home=tmp_path))
    assert (local.own_kafka, local.own_clickhouse) == (True, True)
    url = SecretStr("http://u:p@ch:8123/d")
    other = StackConfig.of(Settings(home=tmp_path, kafka_bootstrap_servers="k:9092", clickhouse_url=url))
    assert (other.own_kafka, other.bootstrap_servers) == (False, "k:9092")
    assert (other.own_clickhouse, other.clickhouse_address) == (False, "http://ch:8123")


def test_a_named_server_that_is_silent_is_told_and_not_replaced(tmp_path: Path, taken: int) -> None:
    settings = Settings(home=tmp_path, clickhouse_url=SecretStr(f"http://127.0.0.1:{taken}"))
    with pytest.raises(StackError, match=r"the settings name .* and nothing answers there"):
        stack.up(settings, silent)
    assert not (tmp_path / "clickhouse").exists()


@pytest.mark.parametrize(
    ("start", "setting"),
    [(broker.start, "AZOTTE_KAFKA_PORT"), (clickhouse.start, "AZOTTE_CLICKHOUSE_PORT")],
)
def test_a_taken_port_is_one_sentence_with_the_remedy(
    tmp_path: Path, taken: int, start: Callable[[StackConfig, stack.Progress], None], setting: str
) -> None:
    config = StackConfig.of(Settings(home=tmp_path, kafka_port=taken, clickhouse_port=taken))
    with pytest.raises(StackError, match=rf"port {taken} is taken by another program: .*{setting}"):
        start(config, silent)


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="set AZOTTE_HOME"):
        stack.up(Settings(home=tmp_path / "file" / "home"), silent)


def test_what_was_started_is_stopped_when_the_rest_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []

    def interrupted(config: StackConfig, progress: stack.Progress) -> None:
        raise KeyboardInterrupt

    def stop(daemon: Daemon) -> bool:
        ended.append(daemon.name)
        return True

    monkeypatch.setattr(clickhouse, "start", lambda config, progress: None)
    monkeypatch.setattr(broker, "start", interrupted)
    monkeypatch.setattr(Daemon, "stop", stop)
    with pytest.raises(KeyboardInterrupt):
        stack.up(Settings(home=tmp_path), silent)
    assert ended == ["clickhouse", "kafka"]


def test_a_broker_that_ends_right_after_its_start_is_no_success(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "_start_missing", lambda *_: None)
    monkeypatch.setattr(stack, "_prepare", lambda *_: None)
    monkeypatch.setattr(broker, "answers", lambda *_: False)
    monkeypatch.setattr(clickhouse, "answers", lambda *_: True)
    with pytest.raises(
        StackError, match=r"^kafka ended again right after the start, as on a full disk: free some space"
    ):
        stack.up(Settings(home=tmp_path), silent)


def test_purge_keeps_the_jars_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    for name in ("jars", "kafka", "clickhouse", "logs", "slots", "sink"):
        (tmp_path / name).mkdir()
    broker.properties(StackConfig.of(settings))
    assert stack.down(settings, purge=False) == []
    assert (tmp_path / "kafka").exists()
    stack.down(settings, purge=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jars", "stack.lock"]


def test_one_port_for_both_servers_is_told_before_anything_starts(tmp_path: Path) -> None:
    port = free_port()
    with pytest.raises(StackError, match=f"AZOTTE_KAFKA_PORT and AZOTTE_CLICKHOUSE_PORT are both {port}"):
        stack.up(Settings(home=tmp_path, kafka_port=port, clickhouse_port=port), silent)
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_listens_no_broker_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    free = f"127.0.0.1:{free_port()}"
    monkeypatch.setattr(confluent_kafka.admin, "AdminClient", None)
    assert not broker.answers(f"{free}, {free}", 60.0)


def test_the_doctor_sees_that_a_home_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = {check.name: check for check in doctor.run(Settings(home=tmp_path / "file" / "home"))}
    assert found["home"].state == "bad"
    assert "set AZOTTE_HOME to a folder that can be written" in found["home"].words


def test_the_doctor_names_each_part_and_the_remedy(tmp_path: Path, taken: int) -> None:
    found = {
        check.name: check
        for check in doctor.run(Settings(home=tmp_path, kafka_port=taken, clickhouse_port=free_port()))
    }
    assert found["python"].state == found["java"].state == "ok"
    assert found["jars"].state == "off"
    assert found["kafka"].state == "bad"
    assert "AZOTTE_KAFKA_PORT" in found["kafka"].words
    assert found["clickhouse"].state == "off"


def test_clocks_may_differ_by_what_the_settings_allow() -> None:
    assert doctor.skew(-900_000, 1_000_000).state == "ok"
    apart = doctor.skew(2_500_000, 1_000_000)
    assert (apart.state, "2500 ms ahead" in apart.words) == ("bad", True)
