"""The command line `azotte`. `main` is the program's entry; the commands are listed in `streams.cli.app`.

Nothing is imported here, so that Ctrl-C is one sentence from the program's first line on.
"""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 failed, 2 wrong usage. Errors are one sentence on stderr."""
    try:
        from streams.cli.interrupts import Interrupts

        with Interrupts(to_the_end=arguments is None) as interrupts:
            from streams.cli.program import run

            code = run(arguments, interrupts)
    except KeyboardInterrupt:
        import sys

        sys.exit("azotte: interrupted")
    raise SystemExit(code)
