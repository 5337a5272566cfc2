-- The relay's: its condition is a range of xid.
create index outbox_xid on outbox (xid);
