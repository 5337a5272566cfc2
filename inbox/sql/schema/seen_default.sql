-- Catches what no daily partition covers, so that recording an id never fails.
create table inbox_seen_default partition of inbox_seen default;
