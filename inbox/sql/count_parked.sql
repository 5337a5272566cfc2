-- How many keys of a topic wait.
select count(*) from inbox_watermark where consumer = $1 and topic = $2 and parked is not null
