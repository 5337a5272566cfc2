-- What operators let go on, and the partitions in which they moved the consumer: effects they delayed are no fault.
select action, key, partition
from inbox_audit
where consumer = $1 and topic = $2 and action in ('release', 'rewind', 'reset')
