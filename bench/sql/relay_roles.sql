-- Who among the relays owns and who stands by, by the names of their sessions: outbox-relay <instance> <role>.
select split_part(application_name, ' ', 2) as instance, split_part(application_name, ' ', 3) as role
from pg_stat_activity
where application_name like 'outbox-relay %'
