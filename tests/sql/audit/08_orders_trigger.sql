-- Every insert, and every update of what is published. Taking the lock waits for whoever is writing.
create trigger audit after insert or update of status, version on public.orders
for each row execute function audit.order_changed()
