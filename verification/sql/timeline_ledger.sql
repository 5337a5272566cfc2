-- What became of the status changes of one order on their way to a person.
select version, status, state, moment, planned_at, called_at, finished_at, attempts, reason
from notifications
where order_id = $1
order by version
