"""The bot: links by token, who asks Telegram, replies on their way, what is silent; resends; a user's orders."""

from alembic import context, op

revision = "0002"
down_revision = "0001"

_LINK_TOKENS = """
create table link_tokens (
  link_id    bigint      generated always as identity primary key,
  token_hash bytea       not null unique,
  user_id    bigint      not null,
  chat_id    bigint,
  created_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  opened_at  timestamptz,
  used_at    timestamptz,
  constraint an_opened_offer_belongs_to_a_chat check ((chat_id is null) = (opened_at is null)),
  constraint a_used_offer_was_opened check (used_at is null or opened_at is not null)
)
"""

_BOT_POLLING = """
create table bot_polling (
  bot_id         bigint      primary key,
  epoch          bigint      not null default 0,
  owner          uuid,
  leased_until   timestamptz not null default '-infinity',
  next_update_id bigint      not null default 0,
  moved_at       timestamptz not null default '-infinity'
) with (fillfactor = 50)
"""

_BOT_REPLIES = """
create table bot_replies (
  bot_id    bigint      not null,
  update_id bigint      not null,
  chat_id   bigint      not null,
  query_id  text,
  reply     jsonb       not null,
  kept_at   timestamptz not null default clock_timestamp(),
  primary key (bot_id, update_id)
)
"""

_MUTES = """
create table mutes (
  user_id  bigint      not null,
  order_id bigint      not null,
  until    timestamptz not null,
  primary key (user_id, order_id)
)
"""

_RESENDS = """
create table resends (
  order_id  bigint      not null,
  version   bigint      not null,
  reason    text        not null,
  resent_at timestamptz not null default clock_timestamp(),
  primary key (order_id, version, resent_at)
)
"""

_ORDERS_OF_A_USER = "create index notifications_of_user on notifications (user_id, order_id desc) where version = 1"

_GRANTS = {
    "link_tokens": "select, insert, update, delete",
    "bot_polling": "select, insert, update",
    "bot_replies": "select, insert, update, delete",
    "mutes": "select, insert, update",
    "resends": "select, insert",
    "subscribers": "delete",
}


def upgrade() -> None:
    """Make the tables; the application role may do with each what the bot does with it, nothing more."""
    run = op.get_bind().exec_driver_sql  # as written: these statements are no templates
    role = '"' + context.config.attributes["app_role"].replace('"', '""') + '"'
    for statement in (_LINK_TOKENS, _BOT_POLLING, _BOT_REPLIES, _MUTES, _RESENDS, _ORDERS_OF_A_USER):
        run(statement)
    for table, rights in _GRANTS.items():
        run(f"grant {rights} on {table} to {role}")


def downgrade() -> None:
    """Remove nothing: links say who agreed to be told."""
