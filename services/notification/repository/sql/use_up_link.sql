-- Nobody may use the offer any more.
update link_tokens set used_at = clock_timestamp() where link_id = $1 and used_at is null
