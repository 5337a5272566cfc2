-- Draws the id of an order to come, and the moment of its first status. An id that is not used leaves a gap, as a rollback does.
select nextval('orders_order_id_seq') as order_id, clock_timestamp() as drawn_at
