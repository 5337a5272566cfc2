-- Links a user to a chat, anew or again; the former chat is forgotten. A link that stands keeps the moment it was made.
insert into subscribers (user_id, chat_id, language, active)
values ($1, $2, $3, $4)
on conflict (user_id) do update set
  chat_id = excluded.chat_id, language = excluded.language, active = excluded.active, changed_at = clock_timestamp(),
  linked_at = case when subscribers.chat_id = excluded.chat_id then subscribers.linked_at else excluded.linked_at end
