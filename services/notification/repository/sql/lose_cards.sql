-- Forgets messages that are no longer in their chat, so that the next version is sent as a new card.
update order_cards set message_id = null, changed_at = clock_timestamp()
where order_id = any($1::bigint[])
