-- Backlog windows: a range of seq costs the same at any depth.
create index outbox_seq_brin on outbox using brin (seq) with (pages_per_range = 32);
