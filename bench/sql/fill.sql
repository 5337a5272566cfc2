-- A backlog: one event per transaction, as fast as the server can.
create procedure fill_{outbox}(first bigint, row_count bigint, topic_name text, headers_text text) language plpgsql as $fill$
declare
  payload_format constant text := '{payload_format}';
  number bigint := first;
  order_number bigint;
begin
  while number < first + row_count loop
    order_number := 100000 + number % {orders};
    {statement};
    commit;
    number := number + 1;
  end loop;
end
$fill$;
