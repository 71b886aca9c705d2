"""A second model of limits, access and what they waive, written from contract-limits.md alone."""
