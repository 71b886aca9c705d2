"""The outside world: ClickHouse tables and what is written into them. Imports `schemas` and `rating` only."""
