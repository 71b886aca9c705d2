"""A process of the local stack that outlives the command that started it: its pid file, its start, its end.

A pid file holds the pid and the process's start time, so that a number that the system gave to somebody else is never
killed. The process is a session of its own: Ctrl-C in the terminal does not reach it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streams import clock
from streams.stack.errors import StackError
from streams.uninterrupted import uninterrupted

POLL_S = 0.05
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Daemon:
    """One process of the stack, known by its name; `home` holds its pid file and `logs` its log."""

    name: str
    home: Path
    logs: Path

    @property
    def pid_file(self) -> Path:
        return self.home / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        return self.logs / f"{self.name}.log"

    def pid(self) -> int | None:
        """The pid of the running process, or `None`."""
        try:
            number, started = self.pid_file.read_text().split()
            pid = int(number)
        except (OSError, ValueError):
            return None
        return pid if _started(pid) == started else None

    def start(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start it in the background; its output goes to its log."""
        self.logs.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(parents=True, exist_ok=True)
        with uninterrupted():
            with self.log.open("ab") as log:
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **(environment or {})},
                    start_new_session=True,
                )
            try:
                self.pid_file.write_text(f"{process.pid} {_started(process.pid)}")
            except BaseException:
                process.kill()
                process.wait()
                raise
        return process

    def stop(self) -> bool:
        """End it, politely first; whether there was anything to end."""
        pid = self.pid()
        if pid is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        _signal(pid, signal.SIGTERM)
        if not _waited(lambda: not _alive(pid), STOP_S):
            _signal(pid, signal.SIGKILL)
            _waited(lambda: not _alive(pid), STOP_S)
        self.pid_file.unlink(missing_ok=True)
        return True

    def wait_until(
        self, answers: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float
    ) -> None:
        """Wait until it answers. Raises `StackError` with its last words where it ends or stays silent."""

        def settled() -> bool:
            return process.poll() is not None or answers()

        if not _waited(settled, seconds):
            raise StackError(f"{self.name} did not answer within {seconds:.0f} s; its log is {self.log}")
        if process.poll() is not None:
            self.pid_file.unlink(missing_ok=True)
            raise StackError(f"{self.name} ended at once: {self.last_words()} (its log is {self.log})")
        # It outlives us on purpose: from here on the pid file knows it, and `Popen` need not warn that it still runs.
        process.returncode = 0

    def last_words(self) -> str:
        """The last line of the log that says something."""
        try:
            lines = [
                line.strip()
                for line in self.log.read_text(errors="replace").splitlines()[-50:]
                if line.strip()
            ]
        except OSError:
            lines = []
        return lines[-1][:300] if lines else "it said nothing"


def port_is_free(port: int) -> bool:
    """Whether nobody listens at the port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(pid: int) -> str | None:
    """What tells this process from a later one with the same pid; `None` where it has ended, its parent told or not."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, ValueError, IndexError):
        if Path("/proc/self/stat").exists():
            return None
    else:
        return None if state in _ENDED else rest[18]
    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, *began = found.stdout.split() or ["Z"]
    return None if state[0] in _ENDED else "-".join(began)


_ENDED = ("Z", "X")


def _alive(pid: int) -> bool:
    """Whether it runs; a child of ours that has ended is gone after it."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _started(pid) is not None


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _waited(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = clock.monotonic() + seconds
    while not holds():
        if clock.monotonic() > deadline:
            return False
        clock.pause(POLL_S)
    return True
