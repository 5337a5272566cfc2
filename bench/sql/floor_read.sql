-- What was numbered after the last one read.
select seq, key, payload from outbox_floor where seq > $1 order by seq limit $2
