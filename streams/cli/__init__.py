"""The command line `azotte`. `main` is the program's entry; the commands are listed in `streams.cli.app`."""

from __future__ import annotations

import os
import sys
from typing import Any

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 failed, 2 wrong usage. Errors are one sentence on stderr."""
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # while the command line itself was loading
        code = _failed("interrupted")
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    import typer
    from typer.main import get_command

    from streams.cli.app import app

    try:
        code = get_command(app).main(arguments, prog_name="azotte", standalone_mode=False)
    except typer.Abort:
        code = INTERRUPTED
    except typer.TyperException as error:
        return _wrong_usage(error)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        return _failed(_of_system(error))
    except Exception as error:  # a fault of ours goes on, with its traceback
        sentence = _of_library(error)
        if sentence is None:
            raise
        return _failed(sentence)
    if code == INTERRUPTED:
        return _failed("interrupted")
    return code if isinstance(code, int) else 0


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
    message = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    end = "" if message.endswith("?") else "."
    print(f"{command}: {message}{end} See `{command} --help`.", file=sys.stderr)
    return 2


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
