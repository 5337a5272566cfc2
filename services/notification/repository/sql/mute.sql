-- An order of these users, or everything (order 0), is silent: for so long from now on, or for good.
insert into mutes (user_id, order_id, until)
select u.user_id, $2, coalesce(clock_timestamp() + $3::interval, 'infinity') from unnest($1::bigint[]) as u (user_id)
on conflict (user_id, order_id) do update set until = excluded.until
