-- What operators did to the outbox, and why.
create table outbox_audit (
  at      timestamptz not null default clock_timestamp(),
  by      text        not null default current_user,
  action  text        not null,
  reason  text        not null check (reason <> ''),
  details jsonb       not null
);
