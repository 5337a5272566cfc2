-- Deletes some checkouts that ended long ago, the oldest first, with the keys that led to them; what another replica deletes
-- at this moment is passed over.
with old as (
  select checkout_id from checkouts where state <> 'open' and ended_at < clock_timestamp() - $1::interval
  order by ended_at limit $2 for update skip locked
)
delete from checkouts using old where checkouts.checkout_id = old.checkout_id
