-- The newest links first.
select user_id, chat_id, language, active, linked_at, changed_at from subscribers order by linked_at desc, user_id limit $1
