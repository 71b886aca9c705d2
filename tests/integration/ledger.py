"""What came out: charge lines as a billing consumer reads them, and the checks that every replay must pass."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from streams.patience import passes
from tests.charge_lines import group_faults

Line = dict[str, Any]


@dataclass(slots=True)
class Reader:
    """Follows whole topics, `read_committed`, from their beginning; keeps every record it has seen."""

    servers: str
    topic: str
    records: list[tuple[bytes | None, bytes | None, dict[str, bytes]]] = field(default_factory=list)
    at: dict[int, int] = field(default_factory=dict)
    _consumer: Consumer | None = None

    def poll(self, seconds: float = 0.2) -> int:
        """Read what is there; how many records came."""
        consumer = self._open()
        found = []
        for message in consumer.consume(10_000, seconds):
            error, number = message.error(), message.partition()
            if error is None:
                found.append(message)
                self.at[number] = message.offset() + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                self.at[number] = max(self.at.get(number, 0), message.offset())
            else:
                assert passes(error), error
        self.records += [(m.key(), m.value(), dict(m.headers() or ())) for m in found]
        return len(found)

    def read_to(self, ends: Mapping[int, int], seconds: float = 60) -> None:
        """Read on up to these offsets; a transaction that is open before them is waited for."""

        def there() -> bool:
            self.poll()
            return all(self.at.get(number, 0) >= end for number, end in ends.items())

        until(there, seconds, f"{self.topic} up to {ends}", lambda: self.at)

    def close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()

    def _open(self) -> Consumer:
        if self._consumer is None:
            self._consumer = Consumer(
                {
                    "bootstrap.servers": self.servers,
                    "group.id": f"test-reader-{self.topic}",
                    "isolation.level": "read_committed",
                    "enable.auto.commit": False,
                    "enable.partition.eof": True,
                    "topic.metadata.refresh.interval.ms": 500,
                }
            )
            found = self._consumer.list_topics(self.topic, 10).topics[self.topic].partitions
            self._consumer.assign([TopicPartition(self.topic, number, OFFSET_BEGINNING) for number in found])
        return self._consumer


def lines(reader: Reader) -> list[Line]:
    """The reader's records as charge lines."""
    return [json.loads(value) for _, value, _ in reader.records if value is not None]


def billed(charges: Iterable[Line]) -> dict[tuple[str, str], Fraction]:
    """The sum of the lines' amounts for each (account, charge)."""
    sums: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for line in charges:
        sums[line["account"], line["charge"]] += Fraction(line["amount"])
    return dict(sums)


def faults(charges: Iterable[Line]) -> list[str]:
    """What a billing consumer must never see: an id twice, a gap in `revision`, parts that do not sum."""
    found: list[str] = []
    seen: set[str] = set()
    groups: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in charges:
        if line["id"] in seen:
            found.append(f"line {line['id']} came twice")
        seen.add(line["id"])
        groups[_group(line)].append(line)
        if sum((Fraction(detail["amount"]) for detail in line["details"]), Fraction(0)) != Fraction(
            line["amount"]
        ):
            found.append(f"details of {line['id']} do not sum to its amount")
    for group, mine in groups.items():
        found += group_faults(group, sorted(mine, key=lambda line: int(line["revision"])))
    return found


def _group(line: Line) -> tuple[str, ...]:
    dimensions = json.dumps(line["dimensions"], sort_keys=True)
    return (line["account"], line["subscription"], line["charge"], dimensions, line["period_start"])


def crossings(thresholds: Iterable[Line]) -> Counter[tuple[str, str]]:
    """How often each account reached each threshold, by its value; what was left counts as its own."""
    found: Counter[tuple[str, str]] = Counter()
    for each in thresholds:
        label = each["threshold"]
        bound = label["at"] if isinstance(label, dict) else Fraction(label) * Fraction(each["amount"]) / 100
        name = str(bound) if each["state"] == "breached" else f"{each['state']} {bound}"
        found[each["account"], name] += 1
    return found


def balance_faults(entries: Iterable[Line]) -> list[str]:
    """Where what is left of a grant is not the sum of its entries so far, or is less than nothing; entries that came twice."""
    found: list[str] = []
    left: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    seen: set[str] = set()
    for each in entries:
        grant = each["account"], each["grant"]
        left[grant] += Fraction(each["amount"])
        if left[grant] != Fraction(each["balance"]) or left[grant] < 0 or each["id"] in seen:
            found.append(f"{each['entry']} {each['id']} of {grant}")
        seen.add(each["id"])
    return found


def burnt(entries: Iterable[Line]) -> dict[str, Fraction]:
    """What each line took of grants, or gave back to them."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for each in entries:
        if each["charge"] is not None:
            found[each["charge"]] -= Fraction(each["amount"])
    return {line: amount for line, amount in found.items() if amount}


def paid(charges: Iterable[Line]) -> dict[str, Fraction]:
    """What grants paid of each line, as the line has it."""
    return {
        each["id"]: Fraction(each["credits_applied"]) for each in charges if each["credits_applied"] != "0"
    }


def until(
    holds: Callable[[], bool], seconds: float, what: str, detail: Callable[[], object] = lambda: ""
) -> None:
    """Wait for a condition, without ever guessing how long it takes; fail by name after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s {detail()}"


def differences(
    want: Mapping[tuple[str, str], Fraction], got: Mapping[tuple[str, str], Fraction]
) -> dict[tuple[str, str], tuple[Fraction | None, Fraction | None]]:
    """Where the auditor's totals and the billed ones differ; an absent charge is 0."""
    keys = want.keys() | got.keys()
    return {
        key: (want.get(key), got.get(key))
        for key in keys
        if want.get(key, Fraction(0)) != got.get(key, Fraction(0))
    }
