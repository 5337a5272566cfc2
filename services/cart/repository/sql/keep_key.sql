-- Binds a request's key to the checkout it leads to; a key whose checkout was refused is free again.
insert into checkout_keys (user_id, key, checkout_id) values ($1, $2, $3)
on conflict (user_id, key) do update set checkout_id = excluded.checkout_id
