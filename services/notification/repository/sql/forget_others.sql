-- Nobody but this user is told in the chat.
delete from subscribers where chat_id = $1 and user_id <> $2
