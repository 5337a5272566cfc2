-- A new offer for an account. Offers that ended a day ago are swept away: nobody can use or look at them any more.
with swept as (delete from link_tokens where expires_at < clock_timestamp() - interval '1 day')
insert into link_tokens (token_hash, user_id, expires_at)
values ($1, $2, clock_timestamp() + $3::interval)
returning expires_at
