-- The offer behind a token becomes this chat's, if it is still open and nobody else's. Opening it again changes nothing.
update link_tokens set chat_id = $2, opened_at = coalesce(opened_at, clock_timestamp())
where token_hash = $1 and used_at is null and expires_at > clock_timestamp() and (chat_id is null or chat_id = $2)
returning link_id, user_id
