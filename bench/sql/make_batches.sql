-- For each of $1 clients $2 batches of $3 events of as many keys: each brings one id, and brings a key to version $4.
insert into apply_batches
select client, batch,
       array_agg(key order by key)::text,
       array_agg($4::bigint order by key)::text,
       array_agg(array[uuidv7()]::text order by key)::text,
       array_fill(null::text, array[$3])::text
from generate_series(0, $1 - 1) as client,
     generate_series(0, $2 - 1) as batch,
     lateral (select (100000 + ((client * $2 + batch) * $3 + place))::text as key from generate_series(1, $3) as place) as keys
group by client, batch
