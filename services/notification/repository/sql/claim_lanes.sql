-- Takes due chats nobody else is taking. The due time moves to the end of the lease: a chat whose sender dies is due again then.
update chat_lanes l set epoch = l.epoch + 1, owner = $1, due_at = clock_timestamp() + $2::interval
from (
  select chat_id from chat_lanes
  where due_at <= clock_timestamp()
  order by due_at
  limit $3
  for update skip locked
) as due
where l.chat_id = due.chat_id
returning l.chat_id, l.epoch, l.tickets
