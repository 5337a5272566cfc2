-- Applications may look at the readers' positions and at what was withdrawn.
grant select on outbox_cursor, outbox_void to {writer_role};
