-- Orders with a version, and an audit of every change made by a trigger: the witness the code under test cannot forge.
create table orders (
  order_id   bigint primary key generated always as identity,
  version    bigint not null,
  op         text   not null,
  changed_at timestamptz not null default clock_timestamp()
);
create table order_audit (
  place    bigint primary key generated always as identity,
  order_id bigint not null,
  version  bigint not null,
  xid      xid8   not null default pg_current_xact_id(),
  op       text   not null
);
create function audit_order() returns trigger language plpgsql as $$
begin
  insert into order_audit (order_id, version, op) values (new.order_id, new.version, new.op);
  return null;
end
$$;
create trigger audit_order after insert or update on orders for each row execute function audit_order();
