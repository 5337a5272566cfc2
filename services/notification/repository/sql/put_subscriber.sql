-- Links a user to a chat, anew or again; the former chat is forgotten.
insert into subscribers (user_id, chat_id, language, active)
values ($1, $2, $3, $4)
on conflict (user_id) do update set
  chat_id = excluded.chat_id, language = excluded.language, active = excluded.active, changed_at = clock_timestamp()
