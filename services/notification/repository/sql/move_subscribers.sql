-- The chat lives under another id now: so does everybody linked to it.
update subscribers set chat_id = $2, changed_at = clock_timestamp()
where chat_id = $1
