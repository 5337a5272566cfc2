-- Keeps an order's row for this transaction if it has been unpaid for $2 and nobody else has it; never waits. No row: it
-- was paid or cancelled, or somebody is about to. Both conditions are judged on the row as it is once it is locked.
-- The transaction ends after ten seconds whatever its client does: one frozen between two messages of a statement is
-- not idle to the server, which has no other bound for it (none before version 17).
select
  order_id,
  case when current_setting('server_version_num')::int >= 170000 then set_config('transaction_timeout', '10s', true) end
from orders
where order_id = $1 and status = 'awaiting payment' and changed_at <= statement_timestamp() - $2::interval
for update skip locked
