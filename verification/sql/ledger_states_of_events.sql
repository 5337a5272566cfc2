-- The ledger's rows of the given events, counted by state.
select state, count(*) as rows
from notifications
where event_id = any($1::uuid[])
group by state
