-- Applications insert and read; everything else is the owner's.
grant select, insert on outbox to {writer_role};
grant usage on sequence outbox_seq to {writer_role};
grant select on outbox_cursor, outbox_void to {writer_role};
