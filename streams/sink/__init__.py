"""SINK: every topic into ClickHouse."""
