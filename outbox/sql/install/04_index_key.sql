-- The operators': one key's story, republish.
create index outbox_key on outbox (key);
