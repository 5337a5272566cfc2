-- Partitions of one width on a fixed grid around the current xid, a lead ahead, and two overflow pieces above them:
-- near, which can be taken out and put back higher, and far, up to the type's end. No xid is ever without a partition.
do $partitions$
declare
  width   constant numeric := {partition_width};
  near    constant numeric := 8589934592;
  oldest  constant numeric := pg_snapshot_xmin(pg_current_snapshot())::text::numeric;
  current constant numeric := pg_current_xact_id()::text::numeric;
  lower   numeric := 0;
  upper   numeric := (div(oldest, width) + 1) * width;
begin
  while upper <= (div(current, width) + 1 + {partitions_ahead}) * width loop
    execute format('create table %I partition of outbox for values from (%L) to (%L)', 'outbox_' || lower, lower, upper);
    lower := upper;
    upper := upper + width;
  end loop;
  execute format('create table %I partition of outbox for values from (%L) to (%L)',
                 'outbox_near_' || lower, lower, lower + near);
  execute format('create table %I partition of outbox for values from (%L) to (%L)',
                 'outbox_far_' || lower + near, lower + near, 18446744073709551615);
end
$partitions$;
