-- Makes the chats due unless they are waiting for something already; the ticket tells a claim in progress that more was planned.
insert into chat_lanes (chat_id, due_at, tickets)
select c.chat_id, clock_timestamp(), 1
from unnest($1::bigint[]) as c (chat_id)
order by c.chat_id
on conflict (chat_id) do update set
  due_at = coalesce(chat_lanes.due_at, excluded.due_at),
  tickets = chat_lanes.tickets + 1
