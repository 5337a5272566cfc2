-- The reply was made, or nothing can make it; those nobody made within a day go with it.
delete from bot_replies
where bot_id = $1 and (update_id = $2 or kept_at < clock_timestamp() - interval '1 day')
