-- Batches of $2 events about $1 orders of $3 people, for each of $4 clients, as the consumer would hand them to the server: in
-- three sweeps over the same orders, placed, waiting for payment, paid. A client's orders are spread by a hash, as a
-- partition's are: clients meet in the chats of the people they share.
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
       array_fill(null::text, array[$2::int])::text
from generate_series(0, 2) as sweep,
     (
       select order_id, client, (row_number() over (partition by client order by order_id) - 1) / $2 as turn
       from (
         select order_id, ntile($4::int) over (order by hashint8(order_id)) - 1 as client
         from generate_series(1, $1::bigint) as order_id
       ) as shared
     ) as shares,
     lateral (select (sweep * ($1 / $4::int / $2::int) + turn) * $4::int + client as batch) as place
where turn < $1 / $4::int / $2::int
group by batch
