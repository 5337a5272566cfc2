-- The chats this sender holds, except those whose call it is making: their claim was committed without its knowing.
select chat_id, epoch from chat_lanes
where owner = $1 and not (chat_id = any($2::bigint[]))
order by chat_id
for update
