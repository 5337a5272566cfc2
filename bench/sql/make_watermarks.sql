-- What the keys of pgbench's batches have behind them: version $1, with as many ids kept, so that each batch replaces one.
insert into inbox_watermark (consumer, topic, key, version, event_ids)
select 'pgbench', 'pgbench', key, $1::bigint, array(select uuidv7() from generate_series(1, $1) where key is not null)
from apply_batches, unnest(keys::text[]) as key
