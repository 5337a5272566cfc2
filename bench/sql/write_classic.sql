insert into {table} (event_id, topic, key, version, type, headers, payload)
select {event_id}::uuid, {topic}::text, order_id::text, version, '{event_type}', {headers}::text::jsonb, {body}::bytea
from touched
