-- A bot nobody asked for yet.
insert into bot_polling (bot_id) values ($1) on conflict do nothing
