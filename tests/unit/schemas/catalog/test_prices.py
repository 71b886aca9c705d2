"""A catalog may name what rating knows, and nothing else: a price model or an aggregation is added in three places."""

from __future__ import annotations

from typing import get_args

from rating.aggregations import AGGREGATIONS, LEVEL
from rating.prices import MODELS
from schemas.catalog.meters import Aggregation
from schemas.catalog.prices import Plain, Price


def test_every_price_model_has_its_fields() -> None:
    named = [get_args(each.model_fields["model"].annotation)[0] for each in get_args(get_args(Price)[0])]
    assert named == list(MODELS)
    assert [*named[:-2]] == [get_args(each.model_fields["model"].annotation)[0] for each in get_args(Plain)]


def test_every_aggregation_has_its_name() -> None:
    assert sorted(get_args(Aggregation)) == sorted([*AGGREGATIONS, LEVEL])
