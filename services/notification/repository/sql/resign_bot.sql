-- Gives the right back at once, if it is still ours.
update bot_polling set owner = null, leased_until = '-infinity' where bot_id = $1 and owner = $2
