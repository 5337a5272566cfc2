-- A function with its owner's rights is for whom it was made.
revoke all on function inbox_rotate_seen(int) from public;
