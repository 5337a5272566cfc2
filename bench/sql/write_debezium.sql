insert into {table} (id, aggregatetype, aggregateid, type, payload, traceparent, userid)
select {event_id}::uuid, {topic}::text, order_id::text, '{event_type}', convert_from({body}::bytea, 'UTF8'),
       {headers}::text::json ->> 'traceparent', {headers}::text::json ->> 'ce_userid'
from touched
