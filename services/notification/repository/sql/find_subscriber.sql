-- The link of one user, active or not.
select user_id, chat_id, language, active from subscribers where user_id = $1
