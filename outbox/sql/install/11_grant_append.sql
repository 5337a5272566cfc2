-- Applications insert and read; everything else is the owner's.
grant select, insert on outbox to {writer_role};
