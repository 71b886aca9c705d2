"""Processes that outlive us: found by pid and start time, ended politely, and their last words told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.stack.errors import StackError
from streams.stack.process import Daemon, port_is_free

FOR_EVER = [sys.executable, "-c", "import signal; signal.pause()"]
WAIT_S = 30.0


@pytest.fixture
def daemon(tmp_path: Path) -> Daemon:
    return Daemon("sleeper", tmp_path / "home", tmp_path / "logs")


def test_it_is_known_while_it_runs_and_gone_once_stopped(daemon: Daemon) -> None:
    process = daemon.start(FOR_EVER)
    daemon.wait_until(lambda: True, process, WAIT_S)
    assert daemon.pid() == process.pid
    assert daemon.stop()
    assert daemon.pid() is None
    assert not daemon.pid_file.exists()
    assert not daemon.stop()


def test_a_pid_that_was_given_to_another_process_is_not_ours(daemon: Daemon) -> None:
    daemon.home.mkdir(parents=True)
    daemon.pid_file.write_text(f"{os.getpid()} 1")
    assert daemon.pid() is None
    assert not daemon.stop()


def test_a_child_that_has_ended_does_not_run_though_nobody_asked_how_it_ended(daemon: Daemon) -> None:
    process = daemon.start(FOR_EVER)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert daemon.pid() is None
    assert not daemon.stop()
    assert process.wait(WAIT_S) != 0, "and who started it can still ask"


@pytest.mark.parametrize("content", ["", "garbage", "1 2 3", "x y"])
def test_a_pid_file_that_is_broken_names_nobody(daemon: Daemon, content: str) -> None:
    daemon.home.mkdir(parents=True)
    daemon.pid_file.write_text(content)
    assert daemon.pid() is None


def test_one_that_ends_at_once_is_told_with_its_last_words(daemon: Daemon) -> None:
    process = daemon.start([sys.executable, "-c", "import sys; sys.exit('no such folder')"])
    with pytest.raises(StackError, match=r"sleeper ended at once: no such folder .*sleeper\.log"):
        daemon.wait_until(lambda: False, process, WAIT_S)
    assert not daemon.pid_file.exists()


def test_one_that_does_not_answer_is_told(daemon: Daemon) -> None:
    process = daemon.start(FOR_EVER)
    with pytest.raises(StackError, match="did not answer within 0 s"):
        daemon.wait_until(lambda: False, process, 0)
    assert daemon.stop()
    process.wait(WAIT_S)


def test_a_start_that_cannot_be_written_down_leaves_nothing_running(daemon: Daemon) -> None:
    daemon.pid_file.mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        daemon.start([sys.executable, "-c", "print('here', flush=True); import signal; signal.pause()"])
    found = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=True).stdout
    ours = [
        line for line in found.splitlines() if line.split()[0] == str(os.getpid()) and "signal.pause" in line
    ]
    assert not ours


def test_a_port_that_somebody_listens_at_is_not_free() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not port_is_free(taken.getsockname()[1])
