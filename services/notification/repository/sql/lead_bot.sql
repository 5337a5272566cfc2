-- Takes or keeps the right to ask Telegram for a bot's updates. A taking over is a new epoch, which fences the former holder.
-- Telegram keeps updates for a day and numbers them anew after a week of silence: after two days no offset is worth anything.
update bot_polling set
  epoch = epoch + (owner is distinct from $2)::integer,
  owner = $2,
  leased_until = clock_timestamp() + $3::interval
where bot_id = $1 and (owner = $2 or leased_until <= clock_timestamp())
returning epoch, case when moved_at > clock_timestamp() - interval '2 days' then next_update_id end as next_update_id
