-- The replies nobody made, in the order they were asked for. Those older than an hour answer nobody any more.
select update_id, chat_id, query_id, reply from bot_replies
where bot_id = $1 and kept_at > clock_timestamp() - interval '1 hour'
order by kept_at, update_id
