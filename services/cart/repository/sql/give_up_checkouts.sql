-- Ends some checkouts that have been open for so long that LOMS need not remember them; their carts stay. One that is gone on
-- with at this moment is passed over.
with stale as (
  select checkout_id from checkouts where state = 'open' and began_at < clock_timestamp() - $1::interval
  order by began_at limit $2 for update skip locked
)
update checkouts set state = 'refused', ended_at = clock_timestamp() from stale
where checkouts.checkout_id = stale.checkout_id
