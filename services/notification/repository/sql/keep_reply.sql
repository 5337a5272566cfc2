-- A reply is kept with the update it answers, until it is made. Numbers begin anew one day: an old reply gives way.
insert into bot_replies (bot_id, update_id, chat_id, query_id, reply) values ($1, $2, $3, $4, $5)
on conflict (bot_id, update_id) do update set
  chat_id = excluded.chat_id, query_id = excluded.query_id, reply = excluded.reply, kept_at = excluded.kept_at
