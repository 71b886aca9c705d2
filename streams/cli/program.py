"""One command from its arguments to its exit status: what is raised becomes a sentence, but for a fault of ours."""

from __future__ import annotations

import os
import sys
from typing import Any

from streams.cli.interrupts import SENTENCE, Interrupts

INTERRUPTED = 130
"""What typer makes of a Ctrl-C in a command."""


def run(arguments: list[str] | None, interrupts: Interrupts) -> int:
    """Run the command; its exit status."""
    try:
        code = _command(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        code = _failed(SENTENCE)
    except Exception as error:
        told = _failed(SENTENCE) if interrupts.seen else _told(error)
        if told is None:  # a fault of ours goes on, with its traceback
            raise
        code = told
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _command(arguments: list[str]) -> int:
    from typer.main import get_command

    from streams.cli.app import app
    from streams.zones import use_pinned

    use_pinned()
    code = get_command(app).main(arguments, prog_name="azotte", standalone_mode=False)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> int | None:
    """Tell what went wrong in a sentence; the status, or `None` for a fault of ours."""
    import typer

    if isinstance(error, typer.TyperException):
        return _wrong_usage(error)
    if isinstance(error, typer.Abort):
        return _failed(SENTENCE)
    sentence = _of_system(error) if isinstance(error, OSError) else _of_library(error)
    return None if sentence is None else _failed(sentence)


def _failed(sentence: str) -> int:
    print(f"azotte: {sentence}", file=sys.stderr)
    return 1


def _wrong_usage(error: Any) -> int:
    """One line: which command, what is wrong with it, where its help is."""
    context: Any = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "azotte"
    if context is not None and type(error).__name__ == "NoArgsIsHelpError":
        print(context.get_help(), file=sys.stderr)
        return 2
    message = " ".join(_words(error).split()).rstrip(".").replace("Value error, ", "")
    end = "" if message.endswith("?") else "."
    print(f"{command}: {message}{end} See `{command} --help`.", file=sys.stderr)
    return 2


def _words(error: Any) -> str:
    """What is wrong; of a value that pydantic refuses, with the value."""
    refused: Any = getattr(error.__cause__, "errors", None)
    if refused is not None and "Input should" in error.message:
        from rating.numbers import shown
        from streams.settings_errors import wrong

        found = refused()[0]
        error.message = f"{shown(found['input'])} {wrong(found, shown)}"
    return str(error.format_message())


def _of_system(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what


def _of_library(error: Exception) -> str | None:
    """A sentence for an error that is no fault of ours: a broker's, or input that the kernel refuses."""
    from rating.errors import RatingError

    if isinstance(error, RatingError | UnicodeDecodeError):
        return str(error)
    if "confluent_kafka" in sys.modules:
        from confluent_kafka import KafkaException

        if isinstance(error, KafkaException):
            reason = error.args[0]
            return f"Kafka: {reason.str() if hasattr(reason, 'str') else reason}"
    return None
