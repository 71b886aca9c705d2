"""The kernel's quotes against the auditor's, over every model and modifier, to the last digit."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from rating.charge import rule_from
from rating.numbers import quantity
from rating.quote import quote
from tests.auditor.pricing import audited
from tests.auditor.pricing_cases import MODELS, cases

SEEDS = (20261124, 7, 99, 1001, 1002)
CASES_A_SEED = 20_020
CURVES = ("flat", "per_unit", "graduated", "volume", "stairstep", "package", "graduated_percentage")
"""Models whose fast total is looked at too: a quote sums the parts."""


@pytest.mark.parametrize("seed", SEEDS)
def test_every_quote_is_what_the_auditor_reckons(seed: int) -> None:
    seen: Counter[str] = Counter()
    nonzero = curves = 0
    for charge, usage in cases(seed, CASES_A_SEED):
        found = quote(charge, usage)
        assert Fraction(found["total"]) == audited(charge, usage), f"seed {seed}: {charge} {usage}"
        lines = sum((Fraction(line["amount"]) for line in found["lines"]), Fraction(0))
        assert lines == Fraction(found["total"]), f"seed {seed}: {charge} {usage}"
        if "quantity" in usage and charge["price"]["model"] in CURVES and "scope" not in charge["price"]:
            rule, q = rule_from(charge), quantity(usage["quantity"])
            assert rule.total(q, rule.included) == sum(part.amount for part in rule.parts(q, rule.included))
            curves += 1
        seen[charge["price"]["model"]] += 1
        nonzero += found["total"] != "0"
    assert seen == dict.fromkeys(MODELS, CASES_A_SEED // len(MODELS))
    assert len(SEEDS) * CASES_A_SEED >= 100_000
    assert curves > CASES_A_SEED // 8
    assert nonzero > CASES_A_SEED // 2
