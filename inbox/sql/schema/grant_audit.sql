-- Audit rows are added and finished, never removed.
grant select, insert, update on inbox_audit to app_role;
