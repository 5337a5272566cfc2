insert into {table} (event_id, topic, key, headers, payload)
select {event_id}::uuid, {topic}::text, order_id::text, {headers}::text::jsonb, {body}::bytea
from touched
