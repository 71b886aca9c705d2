"""Catalogs that are wrong in one place: prices, entitlements, limits, overrides, rules and the text itself.

Each row is an edit of `good.yaml` and the first thing that a user then reads: file, line, field, value, problem, remedy.
"""

from __future__ import annotations

from tests.unit.schemas.catalog.broken import Broken

BROKEN = (
    Broken(
        "{up_to: null, unit_amount: 0.000002}",
        "{up_to: 2000000, unit_amount: 0.000002}",
        'c.yaml:45: plans[0].charges[0].price.tiers[1].up_to: "2000000" ends the last tier, so more than that has no price; give the last tier up_to: null',
    ),
    Broken(
        "{up_to: null, unit_amount: 0.000002}",
        "{up_to: .inf, unit_amount: 0.000002}",
        'c.yaml:45: plans[0].charges[0].price.tiers[1].up_to: ".inf" is not a finite number; write null where there is no bound',
    ),
    Broken(
        "{up_to: 1000000, unit_amount: 0}",
        "{up_to: null, unit_amount: 0}",
        "c.yaml:44: plans[0].charges[0].price.tiers[0].up_to: is no bound, and the tier is not the last; put the tier with up_to: null last",
    ),
    Broken(
        "            - {up_to: null,",
        "            - {up_to: 500, unit_amount: 0}\n            - {up_to: null,",
        'c.yaml:45: plans[0].charges[0].price.tiers[1].up_to: "500" is not more than the bound before it; order the tiers by up_to',
    ),
    Broken(
        "unit_amount: 0.000002}",
        "unit_amount: 0.0000000000000002}",
        'c.yaml:45: plans[0].charges[0].price.tiers[1].unit_amount: "0.0000000000000002" has more than 15 fractional digits; give at most 15',
    ),
    Broken(
        "            - {up_to: 1000000, unit_amount: 0}\n            - {up_to: null, unit_amount: 0.000002}\n",
        "            []\n",
        "c.yaml:43: plans[0].charges[0].price.tiers: [] is empty; name at least one",
    ),
    Broken(
        "model: graduated",
        "model: gradual",
        'c.yaml:42: plans[0].charges[0].price.model: "gradual" is not one of flat, per_unit, graduated, volume, stairstep, package, percentage, graduated_percentage, dynamic, matrix, scheduled; did you mean graduated?',
    ),
    Broken(
        "          model: graduated\n",
        "",
        "c.yaml:41: plans[0].charges[0].price.model: is missing; add one of flat, per_unit, graduated, volume, stairstep, package, percentage, graduated_percentage, dynamic, matrix, scheduled",
    ),
    Broken(
        "default: 0.0005",
        "defualt: 0.0005",
        'c.yaml:53: plans[0].charges[1].price.defualt: "0.0005" is no field here; did you mean default?',
    ),
    Broken(
        "default: 0.0005",
        "default: 0.0000000005",
        'c.yaml:53: plans[0].charges[1].price.default: "0.0000000005" has more than 9 fractional digits; give at most 9 in a charge with unit',
    ),
    Broken(
        "unit_amount: 0.01}]",
        "unit_amount: 0.01}, {when: {region: eu}, unit_amount: 1}]",
        'c.yaml:52: plans[0].charges[1].price.cells[1].when.region: "eu" is none of the price\'s dimensions; use one of model, or add region to dimensions',
    ),
    Broken(
        "minimum: 5\n",
        "minimum: 600\n",
        'c.yaml:58: plans[0].charges[2].maximum: "500" is below the minimum 600; give a maximum of at least the minimum',
    ),
    Broken(
        "package_size: 60",
        "package_size: 0",
        'c.yaml:56: plans[0].charges[2].price.package_size: "0" is 0; give more than 0',
    ),
    Broken(
        "key: pooled",
        "key: input",
        'c.yaml:46: plans[0].charges[1].key: "input" is taken by charges[0]; give each its own, or remove one',
    ),
    Broken(
        "key: pooled",
        "key: base",
        'c.yaml:46: plans[0].charges[1].key: "base" is a fee\'s key too; give fee and charge keys of their own',
    ),
    Broken(
        "feature: chat, included",
        "feature: chatt, included",
        'c.yaml:60: plans[0].entitlements[0].feature: "chatt" is no feature of this catalog; did you mean chat?',
    ),
    Broken(
        "{feature: sso, value: true}",
        "{feature: sso, value: 5}",
        'c.yaml:61: plans[0].entitlements[1].value: "5" is not true or false, as the feature is boolean; write true or false',
    ),
    Broken(
        "{feature: sso, value: true}",
        "{feature: sso, value: true, included: 5}",
        'c.yaml:61: plans[0].entitlements[1].included: "5" is not for a boolean feature; use value',
    ),
    Broken(
        "thresholds: [50, 80,",
        "thresholds: [0, 80,",
        'c.yaml:64: plans[0].limits[0].thresholds[0]: "0" is no percentage; write percent of amount from 1 to 100000, {at: "100"} or {every: "100"}',
    ),
    Broken(
        "action: suspend",
        "action: notify",
        'c.yaml:64: plans[0].limits[0].action: "notify" does not go with hard: true; use block or suspend, or remove hard',
    ),
    Broken(
        "metric: usage, meter: requests",
        "metric: usage",
        "c.yaml:65: plans[0].limits[1].meter: is missing; say what counts: either meter or feature",
    ),
    Broken(
        "metric: usage, meter: requests",
        "metric: usage, meter: request",
        'c.yaml:65: plans[0].limits[1].meter: "request" is no meter of this catalog; did you mean requests?',
    ),
    Broken(
        "{length: 5h}",
        "{length: 5h, start: rolling}",
        'c.yaml:65: plans[0].limits[1].window.start: "rolling" is not known; write one of first_use, sliding',
    ),
    Broken(
        "{length: 5h}",
        "fortnight",
        'c.yaml:65: plans[0].limits[1].window: "fortnight" is not one of period, day, week, month, nor a mapping; write period',
    ),
    Broken(
        "{length: 5h}",
        "weekly",
        'c.yaml:65: plans[0].limits[1].window: "weekly" is not one of period, day, week, month, nor a mapping; did you mean week?',
    ),
    Broken(
        "thresholds: [50, 80,",
        "thresholds: [50, 50.0,",
        'c.yaml:64: plans[0].limits[0].thresholds[1]: "50.0" comes twice, and is told once; keep one',
    ),
    Broken(
        "thresholds: [50, 80,",
        "thresholds: [{evry: 10}, 80,",
        'c.yaml:64: plans[0].limits[0].thresholds[0]: names neither at nor every; write percent of amount from 1 to 100000, {at: "100"} or {every: "100"}',
    ),
    Broken(
        "trial: {plan: free,",
        "trial: {plan: fre,",
        'c.yaml:32: plans[0].trial.plan: "fre" is no plan of this catalog; did you mean free?',
    ),
    Broken(
        "rollover: {max: 250}",
        "rollover: {min: 300, max: 250}",
        'c.yaml:67: plans[0].grants[0].rollover.max: "250" is below min 300; give a max of at least min',
    ),
    Broken(
        "expires_after: 2",
        "expires_after: 2x",
        'c.yaml:67: plans[0].grants[0].expires_after: "2x" is not a duration; write a number with s, m, h or d, like 5h',
    ),
    Broken(
        "when: {storefront: partner-x}",
        "when: {storefront: partner-y}",
        'c.yaml:69: plans[0].overrides[0].when.storefront: "partner-y" is no storefront of this catalog; did you mean partner-x?',
    ),
    Broken(
        "when: {storefront: partner-x}",
        "when: {}",
        "c.yaml:69: plans[0].overrides[0].when: names nothing, so it would hold for all; name a storefront, region, channel or currency",
    ),
    Broken(
        "when: {storefront: partner-x}",
        "when: {currency: EUR}",
        "c.yaml:69: plans[0].overrides[0]: changes the currency to EUR and leaves fees.base.amount, charges.seconds.price, charges.seconds.minimum, charges.seconds.maximum, limits.cap.amount, conversion_rates.ai-credit in USD; name every amount in EUR",
    ),
    Broken(
        "charges: [{key: input, price: {model",
        "charges: [{key: inputs, price: {model",
        "c.yaml:70: plans[0].overrides[0].charges[0].meter: with the plan's fields is missing; add meter",
    ),
    Broken(
        "timezone: Europe/Berlin",
        "timezone: Europe/Berln",
        'c.yaml:77: storefronts[0].timezone: "Europe/Berln" is not a time zone of the IANA database; write one like Europe/Berlin or UTC',
    ),
    Broken(
        "plans: [pro]",
        "plans: [prod]",
        'c.yaml:77: storefronts[0].plans[0]: "prod" is no plan of this catalog; did you mean pro?',
    ),
    Broken(
        "rate: 1.08",
        "rate: 0",
        'c.yaml:81: fx[0].rate: "0" is 0; give more than 0',
    ),
    Broken(
        "to: USD, rate",
        "to: EUR, rate",
        "c.yaml:81: fx[0]: goes from EUR to itself; name two currencies",
    ),
    Broken(
        "fact: usage,",
        "fact: usages,",
        'c.yaml:85: rules[0].when.all[0].fact: "usages" is not a fact; did you mean usage?',
    ),
    Broken(
        "over: 7d, gte: 1000000",
        "over: 7d",
        "c.yaml:85: rules[0].when.all[0]: compares with nothing; add one of eq, in, gt, gte, lt, lte",
    ),
    Broken(
        "over: 7d, gte: 1000000",
        "over: 7d, eq: many",
        'c.yaml:85: rules[0].when.all[0].eq: "many" is not a decimal number; write a decimal, like "0.000002"',
    ),
    Broken(
        "fact: usage, meter: input-tokens, over: 7d, gte: 1000000",
        "fact: age, in: [30d, month]",
        'c.yaml:85: rules[0].when.all[0].in[1]: "month" is not a duration; write a number with s, m, h or d, like 5h',
    ),
    Broken(
        "over: 7d, gte: 1000000",
        "over: 400d, gte: 1",
        'c.yaml:85: rules[0].when.all[0].over: "400d" is too long: it is counted by the hour; write 366d or less, or period',
    ),
    Broken(
        "over: 7d, gte: 1000000",
        "filter: {regoin: [eu]}, over: 7d, gte: 1",
        "c.yaml:85: rules[0].when.all[0].filter.regoin: is not in group_by of the meter input-tokens; did you mean region?",
    ),
    Broken(
        "fact: usage, meter: input-tokens, over: 7d,",
        "fact: overage, feature: sso,",
        'c.yaml:85: rules[0].when.all[0].feature: "sso" is a boolean feature, so nothing of it is used; name a metered one',
    ),
    Broken(
        "aggregation: sum\n    value: $.input_tokens",
        "aggregation: max\n    value: $.input_tokens",
        'c.yaml:85: rules[0].when.all[0].meter: "input-tokens" is a meter of max, whose hours do not add up; name a meter of sum or count, or look at spend',
    ),
    Broken(
        "meters:\n",
        "metres:\n",
        "c.yaml:2: metres: is no section of a catalog; did you mean meters?",
    ),
    Broken(
        "  - key: free\n    version: 1",
        "  - key: pro\n    version: 1",
        'c.yaml:32: plans[0].trial.plan: "free" is no plan of this catalog; add it to plans, or use one of pro',
        problems=2,
    ),
    Broken(
        "key: requests\n",
        "key: requests\n    key: again\n",
        "c.yaml:12: meters[1]: key comes twice, first on line 11; keep one",
    ),
    Broken(
        "meters:\n",
        "meters:\n\t- x\n",
        "c.yaml:3: - x is indented by a tab; indent with spaces",
    ),
    Broken(
        "window: 1h\n",
        "window: !!python/object 1h\n",
        "c.yaml:10: meters[0].window: !!python/object is a tag, which is not read here; remove the tag",
    ),
    Broken(
        "window: 1h\n",
        "window: *w\n",
        "c.yaml:10: meters[0].window: *w names no anchor that ends above it; define it before",
    ),
    Broken(
        "fees:\n      - {key: base, amount: 31.00, timing: advance}",
        "fees: {base: 31}",
        "c.yaml:34: plans[0].fees: is not a list; write a list, like [ … ]",
    ),
    Broken(
        "fees:\n      - {key: base, amount: 31.00, timing: advance}",
        "fees: [31]",
        'c.yaml:34: plans[0].fees[0]: "31" is not a mapping; write fields, like {name: value}',
    ),
    Broken(
        "charges:\n      - key: input\n",
        "charges:\n      - key: input\n        <<: {}\n",
        "c.yaml:38: plans[0].charges[0]: << is a merge key, which is not read here; write the fields out",
    ),
)
