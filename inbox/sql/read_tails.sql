-- The ids a key was last applied with, newest first; asked only for locked keys of which something old has come again.
select key, event_ids from inbox_watermark
where consumer = $1 and topic = $2 and key = any ($3::text[])
