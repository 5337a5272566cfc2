-- An offer this chat has used.
select link_id, user_id from link_tokens where link_id = $1 and chat_id = $2 and used_at is not null
