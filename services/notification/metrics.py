"""Every series of this service, with its meaning."""

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

PLANNED = Counter(
    "notification_planned_total",
    "Rows planned by the consumer, by the state they began in: planned, or no_subscriber when nobody was linked. "
    "Counted inside the inbox's transaction: a batch that is rolled back and applied again counts twice.",
    ["state"],
)
FINISHED = Counter(
    "notification_finished_total",
    "Rows the sender made final, by state.",
    ["state"],
)
DELIVERED_SECONDS = Histogram(
    "notification_commit_to_delivered_seconds",
    "From the moment of the status change, by the producer's database, to the delivered row, in seconds.",
    buckets=_LATENCY_BUCKETS,
)
UNCERTAIN = Counter(
    "notification_uncertain_total",
    "Rows whose answer was lost and that are therefore not resent. Each is listed by `onelane notify uncertain`.",
)
CALLS = Counter(
    "notification_calls_total",
    "Calls of the Bot API, by request (send_card, edit_card, send_alert) and by outcome.",
    ["call", "outcome"],
)
CALL_SECONDS = Histogram(
    "notification_call_seconds",
    "How long a call of the Bot API took, whatever its outcome, in seconds.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
IN_FLIGHT = Gauge(
    "notification_calls_in_flight",
    "Calls of the Bot API this sender is waiting for.",
)
HELD = Counter(
    "notification_held_total",
    "Calls that a limit of ours held back, by what is limited: bot, chat or group. They cost no attempt.",
    ["by"],
)
BOT_PAUSES = Counter(
    "notification_bot_pauses_total",
    "How often several chats in a row were refused for too many calls, and the bot as a whole paused.",
)
FENCED = Counter(
    "notification_fenced_total",
    "Answers that came after another claim had taken the row over, and were left unwritten.",
)
LEDGER_AWAY = Counter(
    "notification_ledger_away_total",
    "Turns of the sender that failed because the database was away or gave way to somebody else.",
)
QUEUE_ROWS = Gauge(
    "notification_queue_rows",
    "Rows that are not final, sampled.",
)
QUEUE_OLDEST_SECONDS = Gauge(
    "notification_queue_oldest_seconds",
    "How long the oldest row that is not final has waited, sampled.",
)

BOT_LEADING = Gauge(
    "notification_bot_leading",
    "1 while this replica asks Telegram for updates, 0 while it stands by. Their sum over the replicas is 1, or 0.",
)
BOT_UPDATES = Counter(
    "notification_bot_updates_total",
    "What people asked of the bot, by kind of request and by result: handled, answered before, or failed.",
    ["kind", "result"],
)
BOT_REPLIES = Counter(
    "notification_bot_replies_total",
    "Calls made for replies, by call (end_tap, send, edit, edit_buttons) and by outcome.",
    ["call", "outcome"],
)
BOT_POLLS_FAILED = Counter(
    "notification_bot_polls_failed_total",
    "Questions for updates that Telegram did not answer, or refused because somebody else asks for the same bot.",
)
