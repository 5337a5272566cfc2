-- What is planned for a chat that moved is planned for its new id.
update notifications set chat_id = $2
where chat_id = $1 and state = 'planned' and finished_at is null
