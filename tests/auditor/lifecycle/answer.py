"""What the auditor answers: what every charge and fee of a period comes to, and which inputs are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

Name = tuple[str, str, str, int]
"""Account, subscription, charge or fee, and the period's start."""
Group = tuple[tuple[str, str], ...]


@dataclass
class Due:
    """The exact totals of one charge and period.

    `groups` has the amount of each dimension group, and is None where a bound holds over all of them together. `maybe`:
    what is due without any usage may not be booked yet, since the period is open; `unsaid`: so may be
    a level, or what a first segment costs without usage;
    and whether a charge that begins in a pause, and ends in it, costs anything is open to question. `units` is set for a charge in a credit
    unit. `plans` splits the amount by plan and version; `shortage` is the part of minimum and
    true-up, `end` where the period ends.
    """

    amount: Fraction = Fraction(0)
    quantities: dict[Group, Fraction] = field(default_factory=dict)
    groups: dict[Group, Fraction] | None = field(default_factory=dict)
    closed: bool = False
    chains: int = 0
    maybe: bool = False
    unsaid: bool = False
    currency: str = "USD"
    units: Fraction | None = None
    plans: dict[tuple[str, int], Fraction] = field(default_factory=dict)
    shortage: Fraction = Fraction(0)
    end: int = 0


@dataclass
class Answer:
    """Everything; `refused` has `(input id, code)`, `open_to_question` the ids that may be refused or not."""

    charges: dict[Name, Due] = field(default_factory=dict)
    fees: dict[Name, Due] = field(default_factory=dict)
    issued: dict[tuple[str, str, str], Fraction] = field(default_factory=dict)
    """By account, subscription and key, what recurring grants come to."""
    ends: dict[tuple[str, str], int] = field(default_factory=dict)
    """When subscriptions ended."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    open_to_question: set[str] = field(default_factory=set)
