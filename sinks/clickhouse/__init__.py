"""ClickHouse: migrations, rows, inserts. Exact by key: each record's row has its place in Kafka in its sorting key."""
