"""Windows of a length: one that the first use opens, and one that slides."""

from __future__ import annotations

import pytest

from tests.unit.rating.lives import Doc, Life, charge, plan

EVERY: Doc = {
    "key": "cap",
    "metric": "usage",
    "meter": "tokens",
    "amount": "1000",
    "thresholds": [{"every": "1"}],
}
"""Each unit that is counted is told, with its window."""
USES = {**EVERY, "window": {"length": "5h"}}
SLIDES = {**EVERY, "window": {"length": "5h", "start": "sliding"}}


def life(limit: Doc, *used: str) -> Life:
    """A unit at each of these times, of 5 March, `came` after a `>` where it came late."""
    made = Life([plan("pro", charges=[charge()], limits=[limit])])
    made.subscribe("pro", "2026-03-01")
    for each in used:
        time, _, came = each.partition(">")
        made.use(1, f"2026-03-05T{time}", came=f"2026-03-05T{came}" if came else None)
    return made


def windows(of: Life) -> list[tuple[str, str, str]]:
    """What each unit came to in which window."""
    return [
        (each["value"], each["window_start"][11:16], each["window_end"][11:16])
        for each in of.records("billing.thresholds.v1", state="breached")
    ]


@pytest.mark.parametrize(
    ("used", "opened"),
    [
        # The first use opens one, which holds what comes in five hours; the next use after them opens another.
        (["10:00", "14:59", "15:00"], [("1", "10:00", "15:00"), ("2", "10:00", "15:00"), ("1", "15:00", "20:00")]),
        (["10:00", "16:00"], [("1", "10:00", "15:00"), ("1", "16:00", "21:00")]),
        # What comes late for one that is open counts in it; one of before it would end where it begins, so it is over.
        (["12:00", "12:10>13:00"], [("1", "12:00", "17:00"), ("2", "12:00", "17:00")]),
        (["12:00", "11:00>12:30"], [("1", "12:00", "17:00")]),
        # A window that is over takes nothing any more, and none is opened that would be over.
        (["10:00", "14:00>15:00"], [("1", "10:00", "15:00")]),
        (["05:00>10:00"], []),
    ],
)  # fmt: skip
def test_the_first_use_that_no_window_holds_opens_one(
    used: list[str], opened: list[tuple[str, str, str]]
) -> None:
    assert windows(life(USES, *used)) == opened


@pytest.mark.parametrize(
    ("used", "values"),
    [
        (["10:00", "14:59"], ["1", "2"]),
        # An event counts for five hours from its time; at their end no more.
        (["10:00", "15:00"], ["1", "1"]),
        (["10:00", "11:00", "15:30"], ["1", "2", "2"]),
        # One that comes late counts for what is left of its hours.
        (["14:00", "11:00>14:30"], ["1", "2"]),
        (["14:00", "09:00>14:30"], ["1"]),
    ],
)
def test_what_slides_holds_each_event_for_its_length(used: list[str], values: list[str]) -> None:
    assert [value for value, _, _ in windows(life(SLIDES, *used))] == values


def test_each_subject_has_windows_of_its_own() -> None:
    made = life({**USES, "scope": "subject"})
    for hour, subject in ((10, "ann"), (11, "bob"), (12, "ann")):
        made.use(1, f"2026-03-05T{hour}", subject=subject, account="cust-1")
    told = made.records("billing.thresholds.v1")
    assert [(each["scope"]["subject"], each["value"], each["window_start"][11:13]) for each in told] == [
        ("ann", "1", "10"),
        ("bob", "1", "11"),
        ("ann", "2", "10"),
    ]


def test_a_day_of_an_accounts_limit_goes_on_when_its_first_subscription_ends() -> None:
    made = Life([plan("pro", charges=[charge()], limits=[{**EVERY, "scope": "account", "window": "day"}])])
    made.subscribe("pro", "2026-03-01", timezone="Europe/Berlin")
    made.subscribe("pro", "2026-03-01", subscription="sub-2", timezone="UTC")
    made.use(1, "2026-03-05T12", subscription="sub-2")
    made.change("cancel", "2026-03-05T13")
    made.use(1, "2026-03-05T14", subscription="sub-2")
    made.use(1, "2026-03-05T23", subscription="sub-2")
    assert windows(made) == [("1", "23:00", "23:00"), ("2", "23:00", "23:00"), ("1", "23:00", "23:00")]
