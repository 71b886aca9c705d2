-- What analysts query: each record once, whatever crashed.
CREATE OR REPLACE VIEW charges AS SELECT * FROM charges_rows FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW ledger AS SELECT * FROM ledger_rows FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW thresholds AS SELECT * FROM thresholds_rows FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW signals AS SELECT * FROM signals_rows FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW rejected AS SELECT * FROM rejected_rows FINAL SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE OR REPLACE VIEW entitlements AS SELECT * EXCEPT (_deleted) FROM entitlements_rows FINAL WHERE _deleted = 0;

CREATE OR REPLACE VIEW usage_events AS
SELECT * FROM usage_rows FINAL
WHERE (_partition, _offset, _index) NOT IN (SELECT _partition, _offset, _index FROM uncounted_rows) OR NOT endsWith(_topic, 'rating.log.v1')
SETTINGS do_not_merge_across_partitions_select_final = 1;
