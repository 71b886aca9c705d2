"""The processes that the demo starts, and that it always ends.

Each is a session of its own, so that a Ctrl-C in the terminal reaches the demo alone, which then stops them in order.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.uninterrupted import uninterrupted

STOP_S = 12.0


def program(*arguments: str) -> list[str]:
    """The command line of `azotte` under this interpreter."""
    return [sys.executable, "-m", "streams.cli", *arguments]


class Child:
    """One process and its log file."""

    def __init__(self, name: str, arguments: list[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    @property
    def ended(self) -> str | None:
        """A sentence where the process has ended by itself."""
        if (code := self._process.poll()) is None:
            return None
        return f"the {self.name} ended with status {code}: {self.last_words()} (its log: {self.log})"

    def last_words(self) -> str:
        """The last line of the log that says something."""
        lines = self.log.read_text(errors="replace").split("\n")
        words = [line.strip() for line in lines if line.strip()]
        return words[-1][:300] if words else "it said nothing"

    def stop(self) -> None:
        """Ask it to end; after a while make it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class Children:
    """Processes that end together, the latest first, when the block is left."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[Child] = []

    def start(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Child:
        """Start `azotte` with these arguments."""
        with uninterrupted():
            child = Child(name, program(*arguments), self.log(name), environment or {})
            self._running.append(child)
        return child

    @property
    def ended(self) -> str | None:
        """A sentence about the first that has ended by itself."""
        return next((words for child in self._running if (words := child.ended) is not None), None)

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self._logs / f"demo-{name}.log"

    def stop(self) -> None:
        """End them all; a Ctrl-C meanwhile does not leave half of them, and takes effect then."""
        with uninterrupted():
            while self._running:
                self._running.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
