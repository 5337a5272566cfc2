-- Locks the watermarks of a batch in key order, so that two batches never wait for each other in a circle.
select key, version, parked from inbox_watermark
where consumer = $1 and topic = $2 and key = any ($3::text[])
order by key for update
