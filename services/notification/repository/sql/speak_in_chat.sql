-- The language of everything said in the chat from now on.
update subscribers set language = $2, changed_at = clock_timestamp() where chat_id = $1 and language <> $2
