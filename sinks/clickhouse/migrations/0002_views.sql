-- What analysts query: each record once, whatever crashed. FINAL merges equal keys at reading; equal rows are always in
-- one partition, so partitions need not be merged with each other.
CREATE OR REPLACE VIEW charges AS
SELECT * FROM charges_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW ledger AS
SELECT * FROM ledger_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW thresholds AS
SELECT * FROM thresholds_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW signals AS
SELECT * FROM signals_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW rejected AS
SELECT * FROM rejected_rows FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW entitlements AS
SELECT * EXCEPT (_deleted) FROM entitlements_rows FINAL
WHERE _deleted = 0;

-- What counts: rows of packs but for those that rating did not count, and what corrections added or took.
CREATE OR REPLACE VIEW usage_events AS
SELECT * FROM usage_rows FINAL
WHERE _topic != 'rating.log.v1' OR (_partition, _offset, _index) NOT IN (
    SELECT _partition, _offset, _index FROM uncounted_rows
)
SETTINGS do_not_merge_across_partitions_select_final = 1;

-- Records that could not be read, with their bytes and the reason: empty, unless somebody else writes to our topics.
CREATE OR REPLACE VIEW sink_errors AS
SELECT * FROM errors_rows FINAL;
