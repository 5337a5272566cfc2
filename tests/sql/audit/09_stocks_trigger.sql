-- Every insert and update.
create trigger audit after insert or update on public.stocks
for each row execute function audit.stock_changed()
