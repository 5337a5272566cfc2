-- The consumer turns the days of inbox_seen without being allowed DDL.
grant execute on function inbox_rotate_seen(int) to app_role;
