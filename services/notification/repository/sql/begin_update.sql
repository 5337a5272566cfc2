-- The first statement of an update's transaction: it is handled by whoever holds the right, once, and holding goes on.
update bot_polling set
  next_update_id = $3 + 1, moved_at = clock_timestamp(), leased_until = clock_timestamp() + $4::interval
where bot_id = $1 and epoch = $2 and ($3 >= next_update_id or moved_at <= clock_timestamp() - interval '2 days')
returning epoch
