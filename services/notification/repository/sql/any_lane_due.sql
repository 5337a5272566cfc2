-- Whether a claim would find anything: one index probe, for the polls that mostly find nothing.
select exists (select from chat_lanes where due_at <= clock_timestamp())
