-- Events an operator withdrew: the relay sends a record without a body in their place.
create table outbox_void (
  event_id uuid        primary key,
  reason   text        not null check (reason <> ''),
  by       text        not null default current_user,
  at       timestamptz not null default clock_timestamp()
);
