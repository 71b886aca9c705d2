"""The catalog revisions that a partition has seen, compiled when they are needed."""

from __future__ import annotations

import json

from rating.catalog import EMPTY, Catalog, Plan, compile_catalog
from rating.cells import Cells
from rating.metering import Metering
from rating.records import CatalogRevision
from rating.step import PlanKey

PUBLISHED = "published|"
"""Before a plan's key and version: when it came into a catalog."""


class Revisions:
    """Reads and compiles what stands in cells; everything here can be built again from them."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._current: dict[str, Catalog] = {}
        self._metering: dict[tuple[str, int], Metering] = {}
        self.plans: dict[PlanKey, Plan] = {}
        """Effective plans, compiled once for each set of selectors and overrides."""

    def put(self, record: CatalogRevision) -> None:
        """Put a revision in force for its tenant."""
        self._cells.put(("catalog", record.tenant), "", record.revision)
        self._cells.put(("catalog", record.tenant), str(record.revision), json.dumps(record.doc))
        for plan in record.doc.get("plans", ()):
            name = f"{PUBLISHED}{plan['key']}|{plan['version']}"
            if self._cells.get(("catalog", record.tenant), name) is None:
                self._cells.put(("catalog", record.tenant), name, record.time)
        self._current.pop(record.tenant, None)
        self.plans = {key: plan for key, plan in self.plans.items() if key[0] != record.tenant}

    def current(self, tenant: str) -> Catalog:
        """What is in force for the tenant."""
        found = self._current.get(tenant)
        if found is None:
            revision = self._cells.get(("catalog", tenant), "")
            found = self._current[tenant] = EMPTY if revision is None else self._read(tenant, revision)
        return found

    def metering(self, tenant: str, revision: int) -> Metering:
        """How events of a revision were measured."""
        found = self._metering.get((tenant, revision))
        if found is None:
            found = self._metering[tenant, revision] = Metering(self._read(tenant, revision))
        return found

    def _read(self, tenant: str, revision: int) -> Catalog:
        doc = self._cells.get(("catalog", tenant), str(revision))
        return EMPTY if doc is None else compile_catalog(json.loads(doc), revision, self._published(tenant))

    def _published(self, tenant: str) -> dict[tuple[str, int], int]:
        found = {}
        for member, time in self._cells.members(("catalog", tenant)):
            if member.startswith(PUBLISHED):
                key, _, version = member.removeprefix(PUBLISHED).partition("|")
                found[key, int(version)] = time
        return found
