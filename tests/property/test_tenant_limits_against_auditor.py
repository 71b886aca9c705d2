"""Random histories under limits of the whole tenant through `simulate`, against the auditor that knows the contract alone."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest

from tests.auditor.lifecycle.words import Doc
from tests.auditor.lifecycle_cases import History
from tests.auditor.limits.tenant import TenantReplay
from tests.auditor.limits_cases import limits_history
from tests.property.test_limits_against_auditor import lived

HISTORIES = 400
TESTS = 4
SLIDING = ({"length": "90m", "start": "sliding"}, {"length": "1d", "start": "sliding"})


def tenant_limit(draw: Random) -> Doc:
    """A limit of the tenant, low enough to be crossed."""
    amount = draw.choice((4, 10, 40, 150))
    limit: Doc = {"key": "all-of-it", "amount": str(amount), "window": draw.choice(("day", "week", "month")), "scope": "tenant",
                  "thresholds": [50, {"at": str(amount - 1)}, {"every": str(max(amount, 20))}]}  # fmt: skip
    meter = draw.choice((None, None, "input", "calls", "peak", "models"))
    if meter in (None, "input", "calls") and draw.random() < 0.25:
        limit["window"] = draw.choice(SLIDING) if meter else limit["window"]
    return limit | ({"metric": "spend"} if meter is None else {"metric": "usage", "meter": meter})


def under_it(seed: int) -> tuple[History, Doc]:
    """A history whose plans all have the limit."""
    case, limit = limits_history(seed), tenant_limit(Random(seed))
    plans = [{**each, "limits": [*each.get("limits", ()), limit]} for each in case.catalog["plans"]]
    return History(seed, {**case.catalog, "plans": plans}, case.inputs, case.until), limit


@pytest.mark.parametrize("part", range(TESTS))
def test_every_history_breaches_what_the_auditor_reckons(part: int) -> None:
    crossed: Counter[str] = Counter()
    tried = 0
    for seed in range(part, HISTORIES, TESTS):
        case, limit = under_it(seed)
        auditor = TenantReplay(case.catalog, limit)
        problems = auditor.play(lived(case))
        told = "\n".join(json.dumps(line) for line in case.inputs)
        assert not problems, f"seed {seed}\n{json.dumps(case.catalog)}\n{told}\n" + "\n".join(problems[:5])
        crossed.update(f"{limit['metric']} {each['state']}" for each in auditor.crossed)
        tried += 1
    assert tried == HISTORIES // TESTS
    assert (
        min(
            crossed[f"{metric} {state}"]
            for metric in ("spend", "usage")
            for state in ("breached", "recovered")
        )
        > 30
    )
