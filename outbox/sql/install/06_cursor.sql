-- One row per reader. Rewritten up to ten times a second: the low fillfactor keeps those updates within its page.
create table outbox_cursor (
  name        text        primary key,
  seen        pg_snapshot not null,
  target      pg_snapshot,
  walked_seq  bigint,
  epoch       bigint      not null,
  owner       uuid,
  lease_until timestamptz not null,
  system_id   text        not null,
  timeline    int         not null,
  state       text        not null check (state in ('running', 'paused', 'needs_reset'))
) with (fillfactor = 10);
