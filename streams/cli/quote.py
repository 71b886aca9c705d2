"""`azotte quote`: what a charge comes to for some usage, without any server.

Numbers are read from their literal text: JSON and YAML numbers never pass through a binary float.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from streams.cli.output import WRONG_USAGE, fail, print_json, print_table, say, unreadable

LINE_MAX = 64 * 1_048_576
"""Bytes of a usage file or a batch line: a quote holds all of it."""
_LITERAL_MAX = 100


class _Unreadable(Exception):
    """Input that is no document; the text is the sentence for it."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(quote)


def quote(
    price: Annotated[
        Path | None,
        typer.Argument(help="The charge: {price: …, minimum?, …}, YAML or JSON.", show_default=False),
    ] = None,
    usage: Annotated[
        Path | None,
        typer.Option(
            "--usage", help='{"quantity": "22"} or {"events": […]}, JSON or YAML.', show_default=False
        ),
    ] = None,
    batch: Annotated[
        Path | None,
        typer.Option(
            "--batch",
            help='Lines of {"charge": …, "usage": …}; one result a line; - is stdin.',
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Price usage without any server: exact, a whole period, minimum and true-up included."""
    if batch is not None:
        if price is not None or usage is not None:
            fail("--batch stands alone: its lines hold both charge and usage", WRONG_USAGE)
        _batch(batch)
        return
    if price is None or usage is None:
        fail("give PRICE and --usage USAGE, or --batch FILE", WRONG_USAGE)
    result = _priced({"charge": _document(price), "usage": _document(usage)})
    if "error" in result:
        fail(result["error"])
    if as_json:
        print_json(result)
        return
    print_table(
        ("tier", "quantity", "unit amount", "amount"), [tuple(line.values()) for line in result["lines"]]
    )
    say(f"total  {result['total']}")


def _batch(path: Path) -> None:
    with _opened(path) as lines:
        for line in _lines(lines):
            if line.strip():
                print_json(_priced_line(line))


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    while line := stream.readline(LINE_MAX + 1):
        if len(line) > LINE_MAX:
            fail(f"a line of the batch has more than {LINE_MAX:,} bytes: split it")
        yield line


def _priced_line(line: bytes) -> dict[str, Any]:
    try:
        request = _json(line)
    except _Unreadable as error:
        return {"error": f"the line {error}"}
    if not isinstance(request, Mapping) or not {"charge", "usage"} <= request.keys():
        return {"error": 'the line is no request: write {"charge": {…}, "usage": {…}}'}
    return _priced(request)


def _priced(request: Mapping[str, Any]) -> dict[str, Any]:
    """The quote, or `{"error"}`: one sentence."""
    from rating.errors import RatingError
    from rating.quote import quote as priced
    from schemas.catalog.quoted import checked_charge

    charge = checked_charge(request["charge"])
    if isinstance(charge, str):
        return {"error": charge}
    try:
        return priced(charge, request["usage"])
    except RatingError as error:
        return {"error": str(error)}


def _document(path: Path) -> Any:
    """A YAML or JSON file; one that ends in `.json` is read as JSON, however large."""
    from schemas.catalog.problems import CatalogProblem
    from schemas.catalog.source import read_source

    with _opened(path) as stream:
        raw = stream.read(LINE_MAX + 1)
    if len(raw) > LINE_MAX:
        fail(f"{path} has more than {LINE_MAX:,} bytes: split it")
    if not raw.strip():
        fail(f"{path} is empty: write price: in PRICE, and quantity: or events: in USAGE")
    if path.suffix == ".json":
        try:
            return _json(raw)
        except _Unreadable as error:
            fail(f"{path} {error}")
    tree = read_source(raw, str(path))
    if isinstance(tree, CatalogProblem):
        fail(tree)
    return tree.value


def _opened(path: Path) -> IO[bytes]:
    if str(path) == "-":
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        unreadable(path, error)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(
            raw.decode("utf-8-sig"), parse_float=_number, parse_int=_number, parse_constant=_constant
        )
    except UnicodeDecodeError as error:
        raise _Unreadable(
            f"is not UTF-8 text: byte {error.start + 1} is 0x{raw[error.start]:02x}; save it as UTF-8"
        ) from None
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"is not JSON: {error or 'nested too deep'}") from None


def _number(literal: str) -> Decimal | str:
    """A number by its literal text; one too long to be any amount stays text and is refused later."""
    if len(literal) > _LITERAL_MAX:
        return literal
    try:
        return Decimal(literal)
    except InvalidOperation:
        return literal


def _constant(word: str) -> str:
    raise ValueError(f"{word} is no number")
