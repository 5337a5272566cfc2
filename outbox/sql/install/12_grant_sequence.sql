-- Appending draws from the sequence.
grant usage on sequence outbox_seq to {writer_role};
