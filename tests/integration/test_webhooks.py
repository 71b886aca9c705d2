"""Webhooks from a real worker: at least once whatever dies, in order, and no receiver waits for another."""

from __future__ import annotations

import pathlib
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from schemas import topics
from sinks.webhooks.signing import headers, key_of
from tests import sink_records as some
from tests.integration.fleet import Fleet
from tests.integration.notices import CHAT, NEW, OLD, WAIT_S, Notices
from tests.receiver import SILENT, Receiver, Request


@pytest.fixture
def notices(kafka: str, tmp_path: pathlib.Path) -> Iterator[Notices]:
    folder = tmp_path / "fleet"
    folder.mkdir()
    fleet = Fleet(kafka, f"hook-{uuid.uuid4().hex[:8]}.", folder, partitions=2)
    fleet.settings |= {"AZOTTE_WEBHOOK_FIRST_PAUSE": "50ms", "AZOTTE_WEBHOOK_LONGEST_PAUSE": "200ms"}
    fleet.make_topics()
    try:
        yield Notices(fleet)
    finally:
        fleet.stop()


def signal_record(number: int, **fields: Any) -> dict[str, Any]:
    return some.signal(number, id=f"sig-{number}", **fields)


def test_every_type_comes_signed_and_only_what_the_address_wants(notices: Notices) -> None:
    with Receiver() as everything, Receiver() as some_of_it:
        notices.address("all", everything, secrets=[NEW, OLD])
        notices.address("some", some_of_it, types=["signal.on", "threshold.breached"], tenants=["acme"])
        notices.put(topics.SIGNALS, signal_record(0))
        notices.put(topics.ENTITLEMENTS, some.entitlement(), key=CHAT)
        notices.start()
        notices.put(
            topics.THRESHOLDS, some.threshold(1, id="t1"), some.threshold(2, id="t2", state="recovered")
        )
        notices.put(topics.LEDGER, some.ledger_entry(1), some.ledger_entry(2, id="l2", entry="expire"))
        notices.put(topics.CHARGES, some.charge(1), some.charge(2, id="c2", kind="close"))
        notices.put(topics.SIGNALS, signal_record(9), commit=False)
        notices.put(
            topics.SIGNALS, signal_record(1), signal_record(2, state="off"), signal_record(3, tenant="other")
        )
        notices.put(topics.ENTITLEMENTS, some.entitlement(), some.entitlement(access=False), key=CHAT)
        entitlement = f"{CHAT}@{some.TIME}"
        notices.came(everything, "t1", "t2", "l2", "c2", "sig-1", "sig-2", "sig-3", entitlement)
        notices.came(some_of_it, "t1", "sig-1")
        types = {each.id: each.document["type"] for each in everything.requests}
        assert types == {
            "t1": "threshold.breached", "t2": "threshold.recovered", "l2": "grant.expired", "c2": "period.closed",
            "sig-1": "signal.on", "sig-2": "signal.off", "sig-3": "signal.on", entitlement: "entitlement.denied",
        }  # fmt: skip
        for each in everything.requests:
            sent = int(each.headers["webhook-timestamp"])
            signed = headers(each.id, sent, each.body, [key_of(NEW), key_of(OLD)])
            assert each.headers["webhook-signature"] == signed["webhook-signature"]
        (close,) = (each.document for each in everything.requests if each.id == "c2")
        assert close["data"] == some.charge(2, id="c2", kind="close")


def test_a_dead_and_a_slow_receiver_delay_nobody_and_what_is_dead_is_sent_when_asked(
    notices: Notices,
) -> None:
    up: list[bool] = []
    with (
        Receiver(lambda request: 200 if up else 503) as dead,
        Receiver(lambda request: SILENT if request.number == 1 else 200) as slow,
        Receiver() as quick,
    ):
        notices.fleet.settings |= {
            "AZOTTE_WEBHOOK_TRIES": "3",
            "AZOTTE_WEBHOOK_TIMEOUT": "1s",
            "AZOTTE_WEBHOOK_IN_FLIGHT": "2",
        }
        for name, receiver in (("dead", dead), ("slow", slow), ("quick", quick)):
            notices.address(name, receiver, types=["signal.on"])
        notices.start()
        notices.put(topics.SIGNALS, *(signal_record(each) for each in range(6)))
        ids = [f"sig-{each}" for each in range(6)]
        notices.came(quick, *ids)
        assert quick.ids() == ids
        assert len(slow.requests) <= 2 * len(ids)
        notices.done_with("slow", topics.SIGNALS, 6)
        assert [each.id for each in slow.requests if each.number == 2] == ids
        notices.done_with("dead", topics.SIGNALS, 6)
        assert dead.ids() == [each for each in ids for _ in range(3)]
        up.append(True)
        assert notices.run("webhooks", "retry", "--dry-run", "--json") == (
            '{"sent": 0, "failed": 0, "left": {"dead": 6}}\n'
        )
        assert notices.run("webhooks", "retry", "--json") == '{"sent": 6, "failed": 0, "left": {}}\n'
        assert sorted(dead.ids()[18:]) == ids
        bodies = {each.id: each.body for each in dead.requests[:18]}
        assert all(each.body == bodies[each.id] for each in dead.requests)
        assert notices.run("webhooks", "retry", "--json") == '{"sent": 0, "failed": 0, "left": {}}\n'


@pytest.mark.parametrize("fault", ["after_delivery", "after_poll", "after_commit"])
def test_a_worker_that_is_killed_loses_nothing_and_says_the_same_again(notices: Notices, fault: str) -> None:
    with Receiver() as receiver:
        notices.address("crm", receiver)
        notices.put(topics.ENTITLEMENTS, some.entitlement(), key=CHAT)
        hits = notices.fleet.folder / "hits"
        notices.start("first", AZOTTE_FAULT=f"notify.{fault}", AZOTTE_FAULT_LOG=str(hits))
        notices.put(topics.SIGNALS, *(signal_record(each) for each in range(20)))
        notices.put(topics.ENTITLEMENTS, some.entitlement(), some.entitlement(access=False), key=CHAT)
        assert notices.fleet.running["first"].wait(WAIT_S) == -signal.SIGKILL
        assert hits.read_text().startswith("notify.")
        del notices.fleet.running["first"]
        before = len(receiver.requests)
        notices.start("second")
        notices.done_with("crm", topics.SIGNALS, 20)
        notices.came(receiver, *(f"sig-{each}" for each in range(20)), f"{CHAT}@{some.TIME}")
        bodies = {each.id: each.body for each in receiver.requests}
        assert all(each.body == bodies[each.id] for each in receiver.requests)
        again = [each.id for each in receiver.requests[before:] if each.number > 1]
        assert fault == "after_commit" or bool(again) == (fault == "after_delivery"), again


def test_what_waited_for_its_next_try_waits_again_after_a_stop(notices: Notices) -> None:
    up: list[bool] = []

    def answer(request: Request) -> int:
        return 200 if up or request.id != "sig-1" else 500

    with Receiver(answer) as receiver:
        notices.address("crm", receiver)
        notices.start()
        notices.put(topics.SIGNALS, signal_record(1), key="acme/cust-1")
        notices.put(topics.SIGNALS, signal_record(2, account="cust-2"), key="acme/cust-2")
        notices.came(receiver, "sig-1", "sig-2")
        notices.fleet.end("worker")
        up.append(True)
        notices.start("again")
        notices.done_with("crm", topics.SIGNALS, 2)
        assert receiver.requests[-1].id in ("sig-1", "sig-2")
        assert receiver.ids().count("sig-2") == 2, (
            "it was not committed, since what came before it was not done"
        )


def test_a_full_hand_reads_on_without_a_gap(notices: Notices) -> None:
    count = 1_500

    def answer(request: Request) -> int:
        return 500 if request.number == 1 and int(request.id.removeprefix("sig-")) % 100 == 0 else 200

    with Receiver(answer) as receiver:
        notices.fleet.settings["AZOTTE_WEBHOOK_IN_FLIGHT"] = "3"
        notices.address("crm", receiver, types=["signal.on"])
        notices.start()
        for first in range(0, count, 100):
            notices.put(
                topics.SIGNALS,
                *(signal_record(each, account=f"cust-{each % 7}") for each in range(first, first + 100)),
            )
        ids = [f"sig-{each}" for each in range(count)]
        notices.came(receiver, *ids)
        taken = [each.id for each in receiver.requests if answer(each) == 200]
        for account in range(7):
            mine = [each for each in taken if int(each.removeprefix("sig-")) % 7 == account]
            assert mine == [each for each in ids if each in set(mine)]
