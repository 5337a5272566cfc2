-- Everybody who is told in a chat, the newest link first, also those who stopped.
select user_id, chat_id, language, active, linked_at from subscribers where chat_id = $1
order by linked_at desc, user_id
