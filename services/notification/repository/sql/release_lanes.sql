-- Ends claims, each only under its own epoch: due after a pause, or at once while anything is open or was planned since the claim.
update chat_lanes l set
  owner = null,
  due_at = case
    when c.after > interval '0' then clock_timestamp() + c.after
    when l.tickets <> c.tickets then clock_timestamp()
    when exists (select from notifications n where n.chat_id = l.chat_id and n.finished_at is null) then clock_timestamp()
  end
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::interval[]) as c (chat_id, epoch, tickets, after)
where l.chat_id = c.chat_id and l.epoch = c.epoch
