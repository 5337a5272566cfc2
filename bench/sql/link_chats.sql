-- As many people, each linked to a chat of their own.
insert into subscribers (user_id, chat_id)
select number, 7000000 + number from generate_series(1, $1::bigint) as number
