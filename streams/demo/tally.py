"""What the demo counts: what it published, and what came out, with the latency from the one to the other.

A charge line does not say which events it stands for, but quantities add up: an event has been charged when the lines of
its account, charge and model since the start sum to what was published up to it. So latency is measured on every good
completion, from handing it to the producer to reading its committed charge line.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from streams.demo.sample import Kind, Sent

Group = tuple[str, str, str]
"""Account, charge, model."""
ANY_MODEL, FEES = "(any)", "(fees)"
"""In place of a model: usage that is priced alike for all, and what is due without usage."""
SAMPLES = 20_000
"""Latencies that are kept: the newest."""


class Tally:
    """All counts of one run."""

    def __init__(self) -> None:
        self.published: Counter[Kind] = Counter()
        self.delivered = 0
        self.lines = 0
        self.amounts: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.line_counts: Counter[tuple[str, str]] = Counter()
        self.due = Decimal(0)
        self.credits = Decimal(0)
        self.rejected: Counter[str] = Counter()
        self.latencies: deque[float] = deque(maxlen=SAMPLES)
        self.in_flight = 0
        self._waiting: defaultdict[Group, deque[tuple[Decimal, float]]] = defaultdict(deque)
        self._sent: defaultdict[Group, Decimal] = defaultdict(Decimal)
        self._charged: defaultdict[Group, Decimal] = defaultdict(Decimal)

    def sent(self, record: Sent, at: float) -> None:
        """A record was handed to the producer, at monotonic second `at`."""
        self.published[record.kind] += 1
        for charge, model, quantity in record.quantities:
            group = (record.account, charge, model)
            self._sent[group] += quantity
            self._waiting[group].append((self._sent[group], at))
            self.in_flight += 1

    def charge(self, line: Mapping[str, Any], at: float) -> None:
        """A charge line was read."""
        model = line["dimensions"].get("model") or (FEES if line["kind"] == "fee" else ANY_MODEL)
        row = (line["plan"], model)
        self.lines += 1
        self.line_counts[row] += 1
        self.amounts[row] += Decimal(line["amount"])
        self.due += Decimal(line["amount_due"])
        self.credits += Decimal(line["credits_applied"])
        if line["kind"] not in ("usage", "correction"):
            return
        group = (line["account"], line["charge"], model)
        self._charged[group] += Decimal(line["quantity"])
        waiting = self._waiting[group]
        while waiting and waiting[0][0] <= self._charged[group]:
            self.latencies.append(at - waiting.popleft()[1])
            self.in_flight -= 1

    def refused(self, code: str) -> None:
        """A rejected record was read."""
        self.rejected[code] += 1

    @property
    def total(self) -> int:
        """Events that were published."""
        return self.published.total()

    def percentile(self, share: float) -> float | None:
        """A percentile of the latencies in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
