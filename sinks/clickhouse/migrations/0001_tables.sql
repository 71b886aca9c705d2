-- What the topics hold, a row a record. A row that comes twice is one: its place in Kafka is its key.
-- Everything in PARTITION BY and ORDER BY is fixed in a record, so a row that is written again meets itself.
CREATE TABLE IF NOT EXISTS sink_topics (
    topic String,
    name String,
    uuid String
) ENGINE = ReplacingMergeTree ORDER BY topic;

CREATE TABLE IF NOT EXISTS charges_rows (
    id String,
    tenant LowCardinality(String),
    account String,
    subscription String,
    plan LowCardinality(String),
    plan_version UInt32,
    charge LowCardinality(String),
    kind LowCardinality(String),
    meter LowCardinality(Nullable(String)),
    dimensions Map(LowCardinality(String), String),
    period_start DateTime64(6, 'UTC'),
    period_end DateTime64(6, 'UTC'),
    window_start DateTime64(6, 'UTC'),
    window_end DateTime64(6, 'UTC'),
    revision UInt64,
    quantity Decimal(38, 12),
    quantity_total Decimal(38, 12),
    amount Decimal(76, 36),
    amount_total Decimal(76, 36),
    currency LowCardinality(String),
    credits_applied Decimal(76, 36),
    amount_due Decimal(76, 36),
    details String,
    rounded Nullable(String),
    storefront LowCardinality(Nullable(String)),
    region LowCardinality(Nullable(String)),
    channel LowCardinality(Nullable(String)),
    sub_account Nullable(String),
    pricing_unit Nullable(String),
    catalog_revision UInt64,
    late Bool,
    source Tuple(topic LowCardinality(String), partition UInt32, offset UInt64),
    time DateTime64(6, 'UTC'),
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, account, _partition, _offset);

CREATE TABLE IF NOT EXISTS ledger_rows (
    id String,
    tenant LowCardinality(String),
    account String,
    grant String,
    entry LowCardinality(String),
    amount Decimal(76, 36),
    unit LowCardinality(String),
    balance Decimal(76, 36),
    charge Nullable(String),
    time DateTime64(6, 'UTC'),
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, account, _partition, _offset);

CREATE TABLE IF NOT EXISTS thresholds_rows (
    id String,
    tenant LowCardinality(String),
    account String,
    subscription Nullable(String),
    limit LowCardinality(String),
    metric LowCardinality(String),
    threshold String,
    state LowCardinality(String),
    value Decimal(76, 36),
    amount Decimal(76, 36),
    period_start Nullable(DateTime64(6, 'UTC')),
    period_end Nullable(DateTime64(6, 'UTC')),
    hard Bool,
    action LowCardinality(String),
    scope LowCardinality(Nullable(String)),
    window_start Nullable(DateTime64(6, 'UTC')),
    window_end Nullable(DateTime64(6, 'UTC')),
    top_up Nullable(Decimal(76, 36)),
    time DateTime64(6, 'UTC'),
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, account, _partition, _offset);

CREATE TABLE IF NOT EXISTS signals_rows (
    id String,
    tenant LowCardinality(String),
    account String,
    rule LowCardinality(String),
    kind LowCardinality(String),
    state LowCardinality(String),
    facts String,
    data Nullable(String),
    time DateTime64(6, 'UTC'),
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, account, _partition, _offset);

CREATE TABLE IF NOT EXISTS entitlements_rows (
    tenant LowCardinality(String),
    account String,
    feature LowCardinality(String),
    subject String,
    kind LowCardinality(Nullable(String)),
    access Nullable(Bool),
    value Nullable(String),
    included Nullable(Decimal(38, 12)),
    used Nullable(Decimal(38, 12)),
    balance Nullable(Decimal(76, 36)),
    overage Nullable(String),
    resets_at Nullable(DateTime64(6, 'UTC')),
    reason LowCardinality(Nullable(String)),
    plan LowCardinality(Nullable(String)),
    version Nullable(UInt64),
    unit LowCardinality(Nullable(String)),
    throttle Nullable(String),
    limits Nullable(String),
    time Nullable(DateTime64(6, 'UTC')),
    _deleted UInt8,
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64
) ENGINE = ReplacingMergeTree(_offset)
ORDER BY (tenant, account, feature, subject);

CREATE TABLE IF NOT EXISTS rejected_rows (
    error LowCardinality(String),
    error_detail String,
    stage LowCardinality(String),
    origin_topic LowCardinality(String),
    origin_partition UInt32,
    origin_offset UInt64,
    key Nullable(String),
    value Nullable(String),
    time DateTime64(6, 'UTC'),
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (_partition, _offset);

CREATE TABLE IF NOT EXISTS usage_rows (
    tenant LowCardinality(String),
    account String,
    subject String,
    source LowCardinality(String),
    id String,
    type LowCardinality(String),
    time DateTime64(6, 'UTC'),
    data String,
    meter LowCardinality(String),
    value Decimal(38, 12),
    value_text String,
    dimensions Map(LowCardinality(String), String),
    sign Int8,
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64,
    _index UInt32
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, account, _topic, _partition, _offset, _index, meter);

CREATE TABLE IF NOT EXISTS uncounted_rows (
    _partition UInt32,
    _offset UInt64,
    _index UInt32
) ENGINE = ReplacingMergeTree
ORDER BY (_partition, _offset, _index);

CREATE TABLE IF NOT EXISTS errors_rows (
    error String,
    key Nullable(String),
    value Nullable(String),
    time DateTime64(6, 'UTC'),
    _topic LowCardinality(String),
    _partition UInt32,
    _offset UInt64
) ENGINE = ReplacingMergeTree
ORDER BY (_topic, _partition, _offset);
