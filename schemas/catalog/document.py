"""The whole catalog: its sections, how many of each there may be, and the model of it all."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.catalog.base import Model
from schemas.catalog.market import Cost, Feature, Fx, Storefront, TenantSettings
from schemas.catalog.meters import Meter
from schemas.catalog.plans import Plan
from schemas.catalog.rules import Rule

SECTIONS: dict[str, tuple[type[Model], int]] = {
    "meters": (Meter, 500),
    "features": (Feature, 500),
    "plans": (Plan, 500),
    "storefronts": (Storefront, 500),
    "costs": (Cost, 5000),
    "fx": (Fx, 5000),
    "rules": (Rule, 200),
}
"""The lists of a catalog: what an item is, and how many there may be. All are held in memory by every worker."""


class CatalogDocument(Model):
    """A catalog, checked item by item; what refers to what is checked in `schemas.catalog.checks`."""

    settings: TenantSettings = TenantSettings()
    meters: Annotated[list[Meter], Field(max_length=SECTIONS["meters"][1])] = []
    features: Annotated[list[Feature], Field(max_length=SECTIONS["features"][1])] = []
    plans: Annotated[list[Plan], Field(max_length=SECTIONS["plans"][1])] = []
    storefronts: Annotated[list[Storefront], Field(max_length=SECTIONS["storefronts"][1])] = []
    costs: Annotated[list[Cost], Field(max_length=SECTIONS["costs"][1])] = []
    fx: Annotated[list[Fx], Field(max_length=SECTIONS["fx"][1])] = []
    rules: Annotated[list[Rule], Field(max_length=SECTIONS["rules"][1])] = []
