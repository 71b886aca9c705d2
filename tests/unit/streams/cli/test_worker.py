"""A worker and a sink in two terminals, as the README has them, need no setting for their web pages."""

from __future__ import annotations

from pathlib import Path

import pytest

import streams.runner
from streams.cli import main, stack
from streams.cli.worker import SINK_PORT, WORKER_PORT
from streams.settings import Settings
from streams.web import listen


@pytest.mark.parametrize(
    ("command", "given", "least"),
    [("worker", None, WORKER_PORT), ("sink", None, SINK_PORT), ("worker", "0", 0), ("sink", "free", 1)],
)
def test_the_web_port_is_the_one_that_is_set_or_a_free_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, given: str | None, least: int
) -> None:
    ran: list[int] = []
    monkeypatch.chdir(tmp_path)
    for name in ("AZOTTE_RUN_SINK", "AZOTTE_WEB_PORT"):
        monkeypatch.delenv(name, raising=False)
    if given == "free":
        with listen("127.0.0.1", 0) as free:
            given = str(free.getsockname()[1])
    if given is not None:
        monkeypatch.setenv("AZOTTE_WEB_PORT", given)
    monkeypatch.setenv("AZOTTE_RUN_SINK", "0")
    monkeypatch.setattr(stack, "reachable_or_fail", lambda settings: None)
    monkeypatch.setattr(
        streams.runner, "run", lambda settings, listening: ran.append(int(listening.getsockname()[1]))
    )
    with pytest.raises(SystemExit) as end:
        main([command])
    assert end.value.code == 0
    (port,) = ran
    wanted = int(given or 0)
    assert port == wanted if wanted else port >= max(least, 1)


@pytest.mark.parametrize("command", ["worker", "sink"])
def test_who_finds_the_port_taken_ends_with_status_1_and_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZOTTE_RUN_SINK", "0")
    monkeypatch.setattr(stack, "reachable_or_fail", lambda settings: None)
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        monkeypatch.setenv("AZOTTE_WEB_PORT", str(port))
        with pytest.raises(SystemExit) as end:
            main([command])
    assert end.value.code == 1
    told = f"azotte: web port {port} is taken: set AZOTTE_WEB_PORT to a free port, or to 0 for any\n"
    assert capsys.readouterr().err == told


def test_a_sink_never_takes_the_worker_s_first_port() -> None:
    assert SINK_PORT > WORKER_PORT == Settings.model_fields["web_port"].default
