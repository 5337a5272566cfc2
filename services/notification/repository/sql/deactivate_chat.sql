-- Nobody is reached in these chats until linked anew.
update subscribers set active = false, changed_at = clock_timestamp()
where chat_id = any($1::bigint[]) and active
