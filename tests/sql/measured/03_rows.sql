-- The row of every change, in the order in which the records are made; ids and bodies anybody can compute.
insert into outbox (event_id, topic, key, version, type, payload)
select md5(order_id || ':' || place)::uuid, $1, order_id::text, place, 'order.' || replace(life.status, ' ', '_'),
       convert_to(format('{"order_id": %s, "status": "%s"}', order_id, life.status), 'UTF8')
from orders cross join unnest($2::text[]) with ordinality as life (status, place)
order by order_id, place
