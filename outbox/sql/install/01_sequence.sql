-- Numbers rows in the order they are written. CACHE stays 1: a cached range would number a key's versions out of order.
create sequence outbox_seq as bigint cache 1;
