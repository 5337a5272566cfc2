-- Whether the youngest among the latest rows of the partition is younger than $1; the latest have the highest xids.
select coalesce(max(occurred_at) > clock_timestamp() - $1::interval, false)
from (select occurred_at from {partition} order by xid desc limit 1000) as latest
