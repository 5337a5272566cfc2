-- The same database went on after a promotion: remember its new timeline.
update outbox_cursor set timeline = $4 where name = $1 and epoch = $2 and owner = $3
