-- The next step of all of them.
update orders set status = $1, version = version + 1
