"""The demo's processes end with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streams.demo.processes import Child, Children
from streams.demo.stack import _up


def test_a_process_that_ends_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = Child(
        "worker", [sys.executable, "-c", "print('no topic'); raise SystemExit(3)"], tmp_path / "w.log", {}
    )
    child.stop()
    assert child.ended is not None
    assert "the worker ended with status" in child.ended


def test_what_was_started_is_stopped_however_the_block_ends(tmp_path: Path) -> None:
    def broken(children: Children) -> None:
        with children:
            children.start("settings", "settings", "table")
            raise RuntimeError("broken")

    children = Children(tmp_path)
    with pytest.raises(RuntimeError, match="broken"):
        broken(children)
    assert children.ended is None
    assert children.log("settings").exists()


def test_a_ctrl_c_while_the_processes_are_stopped_stops_them_all_and_takes_effect(tmp_path: Path) -> None:
    stopped: list[str] = []

    class Slow(Child):
        def stop(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            super().stop()
            stopped.append(self.name)

    children = Children(tmp_path)
    for name in ("worker", "sink"):
        children._running.append(Slow(name, [sys.executable, "-c", "input()"], tmp_path / name, {}))
    with pytest.raises(KeyboardInterrupt):
        children.stop()
    assert stopped == ["sink", "worker"]
    assert children.ended is None


def test_a_ctrl_c_while_the_stack_is_being_started_does_not_lose_what_starts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[subprocess.Popen[bytes]] = []

    class Pressed(subprocess.Popen[bytes]):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__([sys.executable, "-c", "import signal; signal.pause()"], **named)
            begun.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Pressed)
    with pytest.raises(KeyboardInterrupt):
        _up()
    (up,) = begun
    assert up.returncode is not None, "it was told, and its end was waited for"
