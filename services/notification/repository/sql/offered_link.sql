-- An offer this chat opened and may still use; locked, so that of two taps one finds it used.
select link_id, user_id from link_tokens
where link_id = $1 and chat_id = $2 and used_at is null and expires_at > clock_timestamp()
for update
