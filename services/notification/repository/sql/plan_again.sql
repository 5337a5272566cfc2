-- Takes back calls that were named but never made, each only under the epoch that named it.
update notifications n set state = 'planned', call = null, attempts = n.attempts - 1
from unnest($1::bigint[], $2::bigint[]) as c (chat_id, epoch)
where n.chat_id = c.chat_id and n.epoch = c.epoch and n.state = 'calling' and n.finished_at is null
