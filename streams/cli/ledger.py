"""`azotte ledger`: what each grant of an account came to at a time, from ClickHouse's table of the ledger."""

from __future__ import annotations

from typing import Annotated

import typer

from rating.times import format_time
from streams import clock
from streams.cli.clickhouse import plain, rows, shown
from streams.cli.output import note, print_json, print_table
from streams.cli.send import Account, Tenant, instant, name

BALANCES = """
SELECT grant, any(unit) AS unit, sum(amount) AS balance, sumIf(amount, entry = 'grant') AS granted,
       -sumIf(amount, entry IN ('burn', 'refund')) AS used,
       -sumIf(amount, entry IN ('expire', 'void', 'rollover')) AS ended, max(time) AS last
FROM ledger
WHERE tenant = {tenant:String} AND account = {account:String}
  AND time <= parseDateTime64BestEffort({at:String}, 6, 'UTC')
GROUP BY grant
ORDER BY min(time), grant
"""
"""A grant's amounts sum to its balance, so the balance at any time is a sum up to it. `used` is less what came back."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(ledger)


def ledger(
    account: Account,
    at: Annotated[
        str | None, typer.Option(help="The time, RFC 3339, what is booked at it included. [now]")
    ] = None,
    tenant: Tenant = "default",
    json: Annotated[bool, typer.Option("--json", help="Print grants as JSON, a line each.")] = False,
) -> None:
    """Show the balance of each grant of an account at any time."""
    name("account", account)
    name("tenant", tenant)
    moment = clock.now() if at is None else instant("--at", at)
    found = rows(BALANCES, {"tenant": tenant, "account": account, "at": format_time(moment)})
    if not found:
        note(f"no grants of {tenant}/{account} at {format_time(moment)}")
    elif json:
        for row in found:
            print_json(plain(row))
    else:
        print_table(list(found[0]), [[shown(value) for value in row.values()] for row in found])
