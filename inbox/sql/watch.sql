-- What an owner must notice even when nothing arrives: that it is the owner no more, and that an operator decided.
select
  exists (select from inbox_partition
          where consumer = $1 and topic = $2 and partition = $3 and epoch = $4 and needs_reset is null) as held,
  exists (select from inbox_audit
          where consumer = $1 and topic = $2 and partition = $3 and finished_at is null) as decided
