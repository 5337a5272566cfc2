-- When an operator first made records come again on purpose since a moment: sent them anew, or moved the relay's cursor.
select min(at) from outbox_audit where action in ('republish', 'cursor reset') and at >= $1
