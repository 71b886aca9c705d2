"""What histories are drawn from: `BUILT` is what agrees today, `ALL` everything that the auditor knows."""

from __future__ import annotations

BUILT = frozenset(["aggregations", "bad", "bounds", "cancel", "corrections", "duplicates", "fee_every", "fees", "grants",
                   "late", "multi", "overrides", "sources"])  # fmt: skip
MORE = frozenset(["buckets", "by_event", "change", "late_commands", "latest", "levels", "outcome", "pause", "period_end",
                  "quantities", "reanchor", "recurring", "terms", "trial", "units", "versions"])  # fmt: skip
EDGES = frozenset(["edge_changes", "emptied", "equal_changes", "fee_ends", "same_plan"])
"""Changes at a period's first instant; groups that lose all their usage; two changes at one instant; a plan without the
arrears fee of the one before; a change to the plan that holds."""
ALL = BUILT | MORE | EDGES
