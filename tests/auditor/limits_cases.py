"""Histories of one account drawn at random, short and crowded: plans with limits, usage that crosses them, commands.

`limits_history(seed)` is the same for the same seed. A history is of one of three sorts, so that each price says what a
window costs: charges with tiers have spend limits of whole periods alone; waived ones are neither set nor removed.
"""

from __future__ import annotations

from random import Random

from tests.auditor.lifecycle.words import DAY, HOUR, Doc, moment, shown
from tests.auditor.lifecycle_cases import History
from tests.auditor.limits_catalogs import Draft, catalog, own_limit

MINUTE = HOUR // 60
BASES = ("2026-03-01T20:00:00Z", "2026-02-27T22:00:00Z", "2026-03-28T12:00:00Z", "2026-05-30T21:00:00Z")
SUBJECTS = ("ann", "key-1", "key-2")


def limits_history(seed: int) -> History:
    """A history of some ten inputs."""
    random = Random(seed)
    period = random.choice(("day", "week", "month"))
    begin = moment(random.choice(BASES))
    end = begin + {"day": 3, "week": 9, "month": 35}[period] * DAY
    draft = Draft(random, begin, end, random.choice(("plain", "plain", "tiers", "waive")), period)
    draft.pooled = random.random() < 0.2
    offered = catalog(draft)
    _subscribe(draft, "main", draft.plans[0])
    if random.random() < 0.4:
        _grant(draft)
    for at in sorted(_times(draft, random.choice((5, 9, 14)))):
        draft.clock = max(at, draft.clock)
        _step(draft)
    return History(seed, offered, draft.inputs, draft.end + random.choice((1, DAY, 8 * DAY)))


def _times(draft: Draft, count: int) -> list[int]:
    """Close together, so that they share windows, or over all of it; many on a whole hour, so that they meet its edges."""
    random, found, at = draft.random, list[int](), draft.clock
    for _ in range(count):
        at += random.choice(
            (0, 1, 10 * MINUTE, 30 * MINUTE, HOUR, HOUR, 5 * HOUR, random.randrange(DAY), 30 * DAY // count)
        )
        found.append(min(at, draft.end))
    return found


def _subscribe(draft: Draft, key: str, plan: Doc) -> None:
    random = draft.random
    told: Doc = {
        "subscription": key,
        "plan": plan["key"],
        "start": shown(draft.clock + random.choice((0, 0, HOUR))),
    }
    told["timezone"] = random.choice(("UTC", "UTC", "Europe/Berlin"))
    if random.random() < 0.2:
        told["anchor"] = "start"
    draft.subs.append(key)
    draft.start = moment(told["start"])
    draft.command("subscribe", **told)


def _grant(draft: Draft) -> None:
    random = draft.random
    told: Doc = {"grant": f"g{len(draft.inputs)}", "amount": random.choice(("20", "60", "150.5")),
                 "unit": random.choice(("USD", "credit"))}  # fmt: skip
    if random.random() < 0.4:
        told["expires_at"] = shown(draft.clock + random.choice((HOUR, 5 * HOUR, DAY)))
    if random.random() < 0.2:
        told["effective_from"] = shown(draft.clock + random.choice((HOUR, DAY)))
    draft.command("grant_credits", **told)


def _step(draft: Draft) -> None:
    pick = draft.random.random()
    if pick < 0.6 or not draft.events:
        return _use(draft)
    if pick < 0.7:
        return _correct(draft)
    if pick < 0.78:
        return _grant(draft)
    if pick < 0.88 and draft.sort != "waive":
        return _set(draft)
    return _change(draft)


def _use(draft: Draft) -> None:
    random = draft.random
    at = draft.clock - random.choice((0, 0, 0, 0, HOUR, 5 * HOUR, random.randrange(DAY)))
    subject = random.choice(SUBJECTS)
    less = () if draft.by_event else ("-10",)
    doc: Doc = {"specversion": "1.0", "id": f"e{len(draft.inputs)}", "source": "test", "type": random.choice(("use", "use", "call")),
                "tenant": "acme", "subject": subject, "account": "ann", "time": shown(at),
                "data": {"value": random.choice(("1", "5", "10", "15", "20.5", "40", "60", *less)), "model": random.choice("xyz")}}  # fmt: skip
    if random.random() < 0.05:
        doc["subscription"] = random.choice(draft.subs)
    draft.inputs.append({"event": doc})
    draft.events.append(doc)


def _correct(draft: Draft) -> None:
    random = draft.random
    event = random.choice(draft.events)
    if event["id"] in draft.fixed:
        return
    draft.fixed.add(event["id"])
    told: Doc = {"source": "test", "event_id": event["id"], "was": event}
    if random.random() < 0.5:
        draft.command("retract_usage", **told)
        return
    at = min(moment(event["time"]) + random.choice((0, 0, -HOUR, HOUR)), draft.clock)
    told["now"] = {
        **event,
        "time": shown(at),
        "data": {**event["data"], "value": random.choice(("1", "30", "70"))},
    }
    draft.command("amend_usage", **told)


def _set(draft: Draft) -> None:
    """A limit of the account's own, over one of a plan's or beside; another amount for it; or its end."""
    random = draft.random
    if draft.limits and random.random() < 0.4:
        draft.command("remove_limit", limit=draft.limits.pop())
        return
    key = random.choice(("one", "two", "four"))
    if key not in draft.limits:
        draft.limits.append(key)
    draft.command("set_limit", limit=own_limit(draft, key))


def _change(draft: Draft) -> None:
    random = draft.random
    if "trial" in draft.plans[0] or draft.moves:
        return
    draft.clock += 7
    if draft.clock <= draft.start:
        return
    kind = random.choice(("plan", "plan", "pause", "cancel", "more"))
    if kind == "more" and len(draft.subs) == 1:
        _subscribe(draft, "more", random.choice(draft.plans[1:]))
    elif kind == "pause":
        draft.command("resume" if draft.paused else "pause", subscription="main", at="now")
        draft.paused = not draft.paused
    elif kind == "cancel" and random.random() < 0.3:
        draft.command("cancel", subscription="main", at=random.choice(("now", "period_end")))
    elif kind == "plan":
        told: Doc = {
            "plan": random.choice(draft.plans)["key"],
            "at": random.choice(("now", "now", "period_end")),
        }
        if random.random() < 0.2 and told["at"] == "now":
            told["anchor"] = "now"
        draft.command("change_plan", subscription="main", **told)
