-- Moves what is planned for a user, and not in flight, to the chat the user is linked to now.
update notifications set chat_id = $2
where user_id = $1 and chat_id <> $2 and state = 'planned' and finished_at is null
