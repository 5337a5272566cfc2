-- How many rows are open, and how long the oldest has waited.
select count(*) as rows, coalesce(extract(epoch from clock_timestamp() - min(planned_at)), 0)::double precision as oldest_seconds
from notifications where finished_at is null
