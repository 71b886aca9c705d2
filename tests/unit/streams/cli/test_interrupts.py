"""Ctrl-C is one sentence and status 1 wherever it comes: while the program loads, in a command, while it ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streams.cli.interrupts import Interrupts
from streams.cli.program import run

PROGRAM = """
import signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Finder())
# A test run in the background was told to ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
{before}
sys.argv = ["azotte", *{arguments!r}]
from streams.cli import main
main()
"""
"""The program, with a Ctrl-C at the moment when it begins to import a module."""


def interrupted(module: str, *arguments: str, before: str = "") -> tuple[int, str, str]:
    """The status, stdout and stderr of the program."""
    code = PROGRAM.format(module=module, arguments=arguments, before=before)
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    return found.returncode, found.stdout, found.stderr


@pytest.mark.parametrize(
    "module",
    [
        "streams.cli.interrupts", "streams.cli.program", "typer", "streams.cli.app", "streams.cli.commands",
        "pydantic_core", "confluent_kafka", "confluent_kafka.cimpl",
    ],
)  # fmt: skip
def test_while_the_program_loads(module: str) -> None:
    assert interrupted(module, "grant", "acme", "5", "USD") == (1, "", "azotte: interrupted\n")


THREAD_THAT_ENDS_LATER = """
import os, threading
def at_the_end():
    threading.main_thread().join()
    while not threading.Event().wait(0.05):  # again, for one that came just before the wait is lost
        os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=at_the_end).start()
"""
AFTER_THE_LAST_LINE = "import atexit; atexit.register(signal.raise_signal, signal.SIGINT)"


def test_while_the_interpreter_waits_for_a_thread() -> None:
    status, _, told = interrupted("", "--version", before=THREAD_THAT_ENDS_LATER)
    assert (status, told) == (1, "azotte: interrupted\n")


def test_what_is_done_stays_done_while_the_interpreter_ends() -> None:
    status, said, told = interrupted("", "--version", before=AFTER_THE_LAST_LINE)
    assert (status, told) == (0, "")
    assert said.startswith("azotte ")


IN_A_CALLBACK = """
import weakref
class Kept: pass
def collected(_):
    signal.raise_signal(signal.SIGINT)
    pass
class Finder2:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            global reference
            kept = Kept()
            reference = weakref.ref(kept, collected)
sys.meta_path.insert(0, Finder2())
"""


def test_where_nothing_can_be_raised_it_comes_again() -> None:
    """The interpreter prints what a callback raises and goes on."""
    assert interrupted("", "--version", before=IN_A_CALLBACK) == (1, "", "azotte: interrupted\n")


def test_twice_is_told_once() -> None:
    assert interrupted("typer", "--version", before=THREAD_THAT_ENDS_LATER) == (
        1,
        "",
        "azotte: interrupted\n",
    )


def test_a_process_that_was_told_to_ignore_it_goes_on() -> None:
    ignoring = "signal.signal(signal.SIGINT, signal.SIG_IGN)"
    status, said, told = interrupted("typer", "--version", before=ignoring)
    assert (status, told) == (0, "")
    assert said.startswith("azotte ")


@pytest.mark.parametrize(
    "error", [RuntimeError("odd"), OSError("odd"), UnicodeDecodeError("utf-8", b"", 0, 1, "odd")]
)
def test_what_a_library_makes_of_it_is_not_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr("streams.cli.program._command", command)
    interrupts = Interrupts(to_the_end=False)
    interrupts.seen = True
    assert run([], interrupts) == 1
    assert capsys.readouterr().err == "azotte: interrupted\n"
