-- The relays connected now, by what they call themselves.
select split_part(application_name, ' ', 2) as instance, split_part(application_name, ' ', 3) as role
from pg_stat_activity
where application_name like 'outbox-relay %' and datname = current_database()
order by role, instance
