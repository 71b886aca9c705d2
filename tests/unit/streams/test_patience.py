"""What passes by itself is waited for; what does not is raised at once; being told to stop ends both."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.registry import Away
from streams import clock
from streams.patience import Patience, Stopping, passes, passing, unless_away
from tests.unit.streams.kafka_errors import AWAY, FENCED, FORBIDDEN, TIMED_OUT, raised

PASSES = (
    "_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE", "_WAIT_COORD", "NOT_COORDINATOR",
    "COORDINATOR_NOT_AVAILABLE", "COORDINATOR_LOAD_IN_PROGRESS", "NOT_LEADER_FOR_PARTITION", "LEADER_NOT_AVAILABLE",
    "UNSTABLE_OFFSET_COMMIT", "REQUEST_TIMED_OUT", "BROKER_NOT_AVAILABLE", "NOT_ENOUGH_REPLICAS",
)  # fmt: skip
STAYS = (
    "_AUTO_OFFSET_RESET", "_FENCED", "_FATAL", "_STATE", "_INVALID_ARG", "_AUTHENTICATION", "UNKNOWN_TOPIC_OR_PART",
    "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "OFFSET_OUT_OF_RANGE", "MSG_SIZE_TOO_LARGE",
    "ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED",
)  # fmt: skip


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses take no time; this is how long they were."""
    taken: list[float] = []
    monkeypatch.setattr(clock, "pause", taken.append)
    monkeypatch.setattr(clock, "monotonic", lambda: sum(taken))
    return taken


def answers(*script: Exception | str) -> Callable[[], str]:
    """A call that answers, or raises, one after the other."""
    left = iter(script)

    def call() -> str:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return call


@pytest.mark.parametrize("name", PASSES)
def test_what_a_broker_says_while_it_comes_back_passes(name: str) -> None:
    assert passing(raised(getattr(KafkaError, name)))


@pytest.mark.parametrize("name", STAYS)
def test_what_must_be_mended_does_not_pass(name: str) -> None:
    assert not passing(raised(getattr(KafkaError, name)))


def test_the_client_may_say_that_trying_again_helps_but_never_of_a_fatal_error() -> None:
    assert passes(raised(KafkaError._STATE, retriable=True).args[0])
    assert not passes(raised(KafkaError._TIMED_OUT, fatal=True, retriable=True).args[0])


def test_a_call_is_made_until_it_is_answered(pauses: list[float]) -> None:
    patience = Patience("rate", lambda: False)
    assert patience(answers(AWAY, TIMED_OUT, raised(KafkaError.NOT_COORDINATOR), "here")) == "here"
    assert sum(pauses) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("away", "told"),
    [
        (AWAY, "rate: the broker does not answer"),
        (Away("the schema registry answers 503"), "rate: the schema registry answers 503"),
    ],
)
def test_who_is_away_is_told_of_once(away: Exception, told: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Patience("rate", lambda: False)(answers(away, away, "here")) == "here"
    assert caplog.text.count(told) == 1


@pytest.mark.parametrize("error", [FORBIDDEN, FENCED])
def test_what_does_not_pass_is_raised_at_once(error: KafkaException, pauses: list[float]) -> None:
    with pytest.raises(KafkaException) as found:
        Patience("rate", lambda: False)(answers(error, "never"))
    assert found.value is error
    assert pauses == []


def test_being_told_to_stop_ends_the_waiting(pauses: list[float]) -> None:
    patience = Patience("rate", lambda: sum(pauses) > 3)
    with pytest.raises(Stopping):
        patience(answers(*[AWAY] * 20))
    assert 3 < sum(pauses) < 3.2


def test_what_is_asked_again_anyway_is_left_out_while_the_broker_is_away() -> None:
    assert unless_away(answers(AWAY)) is None
    assert unless_away(answers("here")) == "here"
    with pytest.raises(KafkaException):
        unless_away(answers(FORBIDDEN))
