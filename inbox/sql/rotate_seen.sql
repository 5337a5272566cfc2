-- Turns the daily partitions of inbox_seen; the function has the owner's rights, the caller needs no DDL.
select inbox_rotate_seen($1)
