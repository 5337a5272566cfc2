-- One batch of the inbox as the inbox applies it, its parameters loaded once.
\if :loaded_{batch}
\else
select keys as keys_{batch}, versions as versions_{batch}, event_ids as event_ids_{batch}, parked as parked_{batch}
from apply_batches where client = :client_id and batch = {batch} \gset
\set loaded_{batch} 1
\endif
begin;
{lock_watermarks};
{apply_effects};
{store_watermarks};
{advance};
commit;
