-- Under which epoch the bot is asked now.
select epoch from bot_polling where bot_id = $1
