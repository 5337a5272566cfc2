-- Gives chats back at once, each only under its own epoch.
update chat_lanes l set owner = null, due_at = clock_timestamp()
from unnest($1::bigint[], $2::bigint[]) as c (chat_id, epoch)
where l.chat_id = c.chat_id and l.epoch = c.epoch
