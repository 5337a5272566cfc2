-- $1 batches of $2 events for $3 people, as the consumer would hand them to the server: in three sweeps over the same orders,
-- placed, waiting for payment, paid.
insert into plan_batches
select batch,
       array_agg(order_id order by order_id)::text,
       array_agg(sweep + 1 order by order_id)::text,
       array_agg(1 + order_id % $3 order by order_id)::text,
       array_agg((array['new', 'awaiting payment', 'paid'])[sweep + 1] order by order_id)::text,
       array_agg(3 order by order_id)::text,
       array_agg(sweep = 2 order by order_id)::text,
       array_agg(clock_timestamp() order by order_id)::text,
       array_agg(uuidv7() order by order_id)::text,
       array_agg('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'::text order by order_id)::text,
       array_agg(7000001 + order_id % $3 order by order_id)::text,
       (select array_agg(distinct 7000001 + each % $3)::text from unnest(array_agg(order_id)) as each),
       array_agg(order_id::text order by order_id)::text,
       array_agg(array[uuidv7()]::text order by order_id)::text,
       array_fill(null::text, array[$2])::text
from generate_series(0, $1 - 1) as batch,
     lateral (select batch / ($1 / 3) as sweep, batch % ($1 / 3) as turn) as place,
     lateral (select (turn * $2 + number)::bigint as order_id from generate_series(1, $2) as number) as orders
group by batch
