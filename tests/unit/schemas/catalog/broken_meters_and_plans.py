"""Catalogs that are wrong in one place: meters, features and what frames a plan.

Each row is an edit of `good.yaml` and the first thing that a user then reads: file, line, field, value, problem, remedy.
"""

from __future__ import annotations

from tests.unit.schemas.catalog.broken import Broken

BROKEN = (
    Broken(
        "key: input-tokens\n    event_type",
        "key: Input Tokens\n    event_type",
        'c.yaml:3: meters[0].key: "Input Tokens" is not a key: a small letter, then up to 62 of a-z, 0-9, _ and -; write input-tokens',
        problems=6,
    ),
    Broken(
        "aggregation: sum\n    value",
        "agregation: sum\n    value",
        "c.yaml:3: meters[0].aggregation: is missing; add one of sum, count, min, max, avg, unique, latest, time_weighted_sum",
        problems=2,
    ),
    Broken(
        "aggregation: sum\n    value",
        "aggregation: summ\n    value",
        'c.yaml:5: meters[0].aggregation: "summ" is not one of sum, count, min, max, avg, unique, latest, time_weighted_sum; did you mean sum?',
    ),
    Broken(
        "aggregation: sum\n    value: $.input_tokens\n",
        "aggregation: sum\n",
        "c.yaml:3: meters[0].value: is missing; add a path like value: $.tokens, which sum needs",
    ),
    Broken(
        "aggregation: count\n",
        "aggregation: count\n    value: $.n\n",
        'c.yaml:14: meters[1].value: "$.n" is not read by count; remove value, or use aggregation: sum',
    ),
    Broken(
        "value: $.input_tokens",
        "value: input_tokens",
        'c.yaml:6: meters[0].value: "input_tokens" is not a path; write one like $.model, $.usage.tokens or $subject.team',
    ),
    Broken(
        "region: $.region}",
        "region: $.a..b}",
        'c.yaml:8: meters[0].group_by.region: "$.a..b" is not a path; write one like $.model, $.usage.tokens or $subject.team',
    ),
    Broken(
        "window: 1h\n",
        "window: 1w\n",
        'c.yaml:10: meters[0].window: "1w" is not known; write one of 1m, 1h, 1d',
    ),
    Broken(
        "window: 1h\n",
        "window: 1h\n    bucket: 1h\n",
        "c.yaml:3: meters[0].rollup: is missing; give bucket and rollup together, or neither",
    ),
    Broken(
        "window: 1h\n",
        "window: 1h\n    per: hour\n",
        'c.yaml:11: meters[0].per: "hour" is a field of time_weighted_sum only; remove per',
    ),
    Broken(
        "filter: {region: [eu, us]}",
        "filter: {region: []}",
        "c.yaml:9: meters[0].filter.region: [] is empty, so nothing matches; name at least one value",
    ),
    Broken(
        "multiply: 0.001",
        "multiply: 1e-13",
        'c.yaml:19: meters[2].sources[0].multiply: "1e-13" has more than 12 fractional digits; give at most 12',
    ),
    Broken(
        "{event_type: gpu.job, value: $.ms, multiply: 0.001}",
        "{event_type: cpu.job, value: $.ms}",
        'c.yaml:20: meters[2].sources[1].event_type: "cpu.job" is read by another source already; give each event type one source',
    ),
    Broken(
        "{s: 1, min: 60}",
        "{s: 0}",
        'c.yaml:20: meters[2].sources[1].units.factors.s: "0" is 0; give more than 0',
    ),
    Broken(
        "meter: input-tokens}\n  - {key: sso",
        "meter: input-token}\n  - {key: sso",
        'c.yaml:22: features[0].meter: "input-token" is no meter of this catalog; did you mean input-tokens?',
    ),
    Broken(
        "{key: sso, kind: boolean}",
        "{key: sso, kind: bool}",
        'c.yaml:23: features[1].kind: "bool" is not one of boolean, static, metered; did you mean boolean?',
    ),
    Broken(
        "version: 1\n    effective_from: 2026-01-01T00:00:00Z\n    currency: USD\n    period: month\n    grace",
        "version: 1.5\n    effective_from: 2026-01-01T00:00:00Z\n    currency: USD\n    period: month\n    grace",
        'c.yaml:27: plans[0].version: "1.5" is not a whole number; write one from 1 to 1000000',
    ),
    Broken(
        "effective_from: 2026-01-01T00:00:00Z\n    currency: USD\n    period: month\n    grace",
        "effective_from: 2026-01-01\n    currency: USD\n    period: month\n    grace",
        'c.yaml:28: plans[0].effective_from: "2026-01-01" is not an RFC 3339 time; write it like 2026-01-01T00:00:00Z',
    ),
    Broken(
        "currency: USD\n    period: month\n    grace",
        "currency: usd\n    period: month\n    grace",
        'c.yaml:29: plans[0].currency: "usd" is not a currency of ISO 4217; did you mean USD?',
    ),
    Broken(
        "currency: USD\n    period: month\n    grace",
        "currency: USX\n    period: month\n    grace",
        'c.yaml:29: plans[0].currency: "USX" is not a currency of ISO 4217; write a code like USD',
    ),
    Broken(
        "period: month\n    grace",
        "period: monthly\n    grace",
        'c.yaml:30: plans[0].period: "monthly" is not one of day, week, month, quarter, year; did you mean month?',
    ),
    Broken(
        "period: month\n    grace",
        "grace",
        "c.yaml:26: plans[0].period: is missing; add one of day, week, month, quarter, year",
    ),
    Broken(
        "grace: 2h",
        "grace: 2 hours",
        'c.yaml:31: plans[0].grace: "2 hours" is not a duration; write a number with s, m, h or d, like 5h',
    ),
    Broken(
        "amount: 31.00, timing: advance",
        "amount: 31.0000000000001, timing: advance",
        'c.yaml:35: plans[0].fees[0].amount: "31.0000000000001" has more than 12 fractional digits; give at most 12',
    ),
    Broken(
        "amount: 31.00",
        "amount: -31",
        'c.yaml:35: plans[0].fees[0].amount: "-31" is negative; give 0 or more',
    ),
    Broken(
        "amount: 31.00",
        "amount: .inf",
        'c.yaml:35: plans[0].fees[0].amount: ".inf" is not a finite number; write null where there is no bound',
    ),
    Broken(
        "amount: 31.00",
        "amount: 1_000",
        'c.yaml:35: plans[0].fees[0].amount: "1_000" is not a decimal number; write a decimal, like "0.000002"',
    ),
    Broken(
        "amount: 31.00",
        "amount: yes",
        'c.yaml:35: plans[0].fees[0].amount: "yes" is not a decimal number; write a decimal, like "0.000002"',
    ),
    Broken(
        "timing: advance",
        "timming: advance",
        'c.yaml:35: plans[0].fees[0].timming: "advance" is no field here; did you mean timing?',
    ),
    Broken(
        "timing: advance",
        "prorate: yes",
        'c.yaml:35: plans[0].fees[0].prorate: "yes" is not true or false; write true or false, without quotes',
    ),
    Broken(
        "dimensions: [model]\n        included",
        "dimensions: [modle]\n        included",
        'c.yaml:39: plans[0].charges[0].dimensions[0]: "modle" is not in group_by of the meter input-tokens; did you mean model?',
    ),
    Broken(
        "meter: compute-seconds",
        "meter: compute-minutes",
        'c.yaml:55: plans[0].charges[2].meter: "compute-minutes" is no meter of this catalog; add it to meters, or use one of compute-seconds, input-tokens, requests',
    ),
)
