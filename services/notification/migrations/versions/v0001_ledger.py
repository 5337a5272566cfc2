"""The ledger: subscribers, notifications, order cards, chat lanes, and the inbox's tables."""

from alembic import context, op

from inbox import install_statements

revision = "0001"
down_revision = None

_SUBSCRIBERS = """
create table subscribers (
  user_id    bigint      primary key,
  chat_id    bigint      not null,
  language   text        not null default 'en',
  active     boolean     not null default true,
  linked_at  timestamptz not null default clock_timestamp(),
  changed_at timestamptz not null default clock_timestamp()
)
"""

_NOTIFICATIONS = """
create table notifications (
  order_id        bigint      not null,
  version         bigint      not null check (version > 0),
  seq             bigint      generated always as identity,
  user_id         bigint      not null,
  chat_id         bigint,
  status          text        not null,
  items           bigint,
  audible         boolean     not null,
  moment          timestamptz not null,
  event_id        uuid        not null,
  traceparent     text,
  state           text        not null
    check (state in ('planned', 'calling', 'delivered', 'failed', 'uncertain', 'superseded', 'no_subscriber')),
  card_step       text        not null check (card_step in ('pending', 'done', 'skipped', 'failed', 'uncertain')),
  alert_step      text        not null
    check (alert_step in ('none', 'pending', 'done', 'skipped', 'failed', 'uncertain')),
  call            text        check (call in ('send_card', 'edit_card', 'send_alert')),
  epoch           bigint      not null default 0,
  attempts        integer     not null default 0,
  lost_edits      integer     not null default 0,
  plain           boolean     not null default false,
  reason          text,
  planned_at      timestamptz not null default clock_timestamp(),
  called_at       timestamptz,
  next_attempt_at timestamptz,
  finished_at     timestamptz,
  primary key (order_id, version),
  constraint a_call_is_named_while_calling check ((state = 'calling') = (call is not null)),
  constraint a_final_row_has_its_moment check ((finished_at is null) = (state in ('planned', 'calling'))),
  constraint an_open_row_has_its_chat check (finished_at is not null or chat_id is not null)
) with (fillfactor = 70)
"""

_ORDER_CARDS = """
create table order_cards (
  order_id       bigint      primary key,
  user_id        bigint      not null,
  chat_id        bigint      not null,
  message_id     bigint,
  wanted_version bigint      not null,
  shown_version  bigint      not null default 0,
  changed_at     timestamptz not null default clock_timestamp()
) with (fillfactor = 70)
"""

_CHAT_LANES = """
create table chat_lanes (
  chat_id bigint primary key,
  due_at  timestamptz,
  epoch   bigint not null default 0,
  tickets bigint not null default 0,
  owner   uuid
) with (fillfactor = 50)
"""

_INDEXES = (
    "create index subscribers_chat on subscribers (chat_id)",
    # open means finished_at is null, which planned → calling leaves alone: those updates stay heap-only
    "create index notifications_open on notifications (chat_id, seq) where finished_at is null",
    "create index notifications_uncertain on notifications (finished_at) where state = 'uncertain'",
    "create index notifications_event on notifications (event_id)",
    "create index chat_lanes_due on chat_lanes (due_at) where due_at is not null",
)

_TABLES = ("subscribers", "notifications", "order_cards", "chat_lanes")


def upgrade() -> None:
    """Make the tables; the application role may read and write rows, nothing more."""
    run = op.get_bind().exec_driver_sql  # as written: these statements are no templates
    role = '"' + context.config.attributes["app_role"].replace('"', '""') + '"'
    for statement in (_SUBSCRIBERS, _NOTIFICATIONS, _ORDER_CARDS, _CHAT_LANES, *_INDEXES):
        run(statement)
    for table in _TABLES:
        run(f"grant select, insert, update on {table} to {role}")
    for statement in install_statements(app_role=context.config.attributes["app_role"]):
        run(statement)


def downgrade() -> None:
    """Remove nothing: the ledger says what people were told, and only an operator may forget that."""
