"""Build each process of the notification service from its parts: the only file that constructs.

`consumer`, `sender` and `bot` are the real doors; `order_events`, `delivery_loop`, `update_loop`, `subscriptions` and
the like are the doors for tests and commands, which bring their own connections.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from chassis import logs, telemetry
from chassis.health import Health
from chassis.lifecycle import Component, Service, Task
from chassis.limits import FallbackLimiter, LocalLimiter, ValkeyLimiter
from chassis.postgres import Pool
from events.topics import ORDER_EVENTS, catalogue
from services.notification.domain.card import Composer
from services.notification.domain.seal import Seal
from services.notification.domain.settlement import RetryPolicy
from services.notification.domain.texts import GRAMMARS
from services.notification.repository.ledger import Acquire, PostgresLedger
from services.notification.repository.planning import PostgresPlanning
from services.notification.repository.subscribers import (
    PostgresInvitations,
    PostgresReports,
    PostgresResends,
    PostgresSubscribers,
)
from services.notification.repository.updates import PostgresUpdates
from services.notification.service.conversation import Conversation
from services.notification.service.delivery import BotStopped, Delivery
from services.notification.service.desk import Orders, Updates
from services.notification.service.invitations import Invitations, random_token
from services.notification.service.notifications import Notifications
from services.notification.service.ports import Limits, Messenger
from services.notification.service.preferences import command_menu
from services.notification.service.resending import Resending
from services.notification.service.subscriptions import Subscriptions
from services.notification.settings import BotSettings, ConsumerSettings, SchemaSettings, SenderSettings
from services.notification.telegram.limits import AHEAD_SECONDS, BotLimits, Unlimited, bot_rates
from services.notification.telegram.messenger import TelegramMessenger
from services.notification.telegram.queue_watch import QueueWatch
from services.notification.telegram.replies import Replies
from services.notification.telegram.request import BotApiRequest
from services.notification.telegram.sender import Pace, Sender
from services.notification.telegram.update_loop import Pace as BotPace
from services.notification.telegram.update_loop import UpdateLoop
from services.notification.telegram.updates import TelegramUpdates
from services.notification.texts import catalogues

if TYPE_CHECKING:
    from inbox import TopicPolicy
    from services.notification.consumers.order_events import OrderEvents

NAME = "notification"


def consumer(settings: ConsumerSettings) -> Service:
    """Build the process that plans notifications from order events.

    Where spans go nowhere none are made: the events' own trace is stored, and spans took two thirds of a batch's time.
    """
    from opentelemetry.trace import NoOpTracer

    from inbox import Limits, NeedsOperator, Runner

    logs.configure(NAME, "consumer", settings.log_level)
    tracing = telemetry.configure(NAME, "consumer", settings.otlp_endpoint)
    pool = _pool(settings.database_url.get_secret_value(), f"notification-consumer {settings.instance}")
    runner = Runner(
        consumer=NAME,
        topics=[order_topic()],
        handler=order_events(),
        dsn=settings.database_url.get_secret_value(),
        bootstrap_servers=settings.kafka_bootstrap,
        group_id=NAME,
        instance_id=settings.instance,
        limits=Limits(batch_events_max=settings.batch_events_max),
        tracer=None if settings.otlp_endpoint else NoOpTracer(),
    )
    loop = Task("inbox", runner.run, stop=runner.stop, operator_errors=(NeedsOperator,))
    return Service(
        "notification-consumer", tracing, Health(settings.health_address, {"postgres": pool.check}), pool, loop
    )


def sender(settings: SenderSettings) -> Service:
    """Build the process that delivers what is planned."""
    token = settings.telegram_token.get_secret_value()
    logs.configure(NAME, "sender", settings.log_level, secrets=[token])
    tracing = telemetry.configure(NAME, "sender", settings.otlp_endpoint)
    pool = _pool(settings.database_url.get_secret_value(), f"notification-sender {settings.instance}")
    messenger = telegram_messenger(settings)
    keepers, limits = telegram_limits(settings)
    loop = delivery_loop(acquire=pool.acquire, messenger=messenger, settings=settings, limits=limits)
    watch = QueueWatch(measure=PostgresReports(acquire=pool.acquire).queue, every_seconds=settings.queue_sample_seconds)
    return Service(
        "notification-sender",
        tracing,
        Health(settings.health_address, {"postgres": pool.check}),
        pool,
        *keepers,
        messenger,
        Task("queue watch", watch.run),
        Task(
            "sender",
            loop.run,
            stop=loop.stop,
            stop_seconds_max=settings.call_seconds + 4,
            operator_errors=(BotStopped,),
        ),
    )


def bot(settings: BotSettings) -> Service:
    """Build the process that answers people."""
    from chassis.rpc_client import RpcClient
    from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
    from services.notification.clients.loms import LomsOrders

    token = settings.telegram_token.get_secret_value()
    logs.configure(NAME, "bot", settings.log_level, secrets=[token])
    tracing = telemetry.configure(NAME, "bot", settings.otlp_endpoint)
    pool = _pool(settings.database_url.get_secret_value(), f"notification-bot {settings.instance}")
    loms = RpcClient(settings.loms_address, stub=LomsServiceStub, deadline_seconds=settings.loms_seconds)
    messenger, telegram = telegram_messenger(settings), telegram_updates(settings)
    keepers, limits = telegram_limits(settings)
    loop = update_loop(
        updates=bot_updates(pool.acquire, settings),
        orders=LomsOrders(loms),
        messenger=messenger,
        telegram=telegram,
        settings=settings,
        limits=limits,
    )
    return Service(
        "notification-bot",
        tracing,
        Health(settings.health_address, {"postgres": pool.check}),
        pool,
        loms,
        *keepers,
        messenger,
        telegram,
        Task("bot", loop.run, stop=loop.stop, operator_errors=(BotStopped,)),
    )


def migrate(settings: SchemaSettings) -> None:
    """Bring the schema to its newest version."""
    from services.notification.migrations.run import upgrade

    upgrade(owner_url=settings.owner_url.get_secret_value(), app_role=settings.app_role)


def order_topic(name: str = ORDER_EVENTS) -> "TopicPolicy":
    """Say how the topic of order events is read, as its catalogue has it."""
    from inbox import TopicPolicy

    topic = catalogue()[ORDER_EVENTS]
    return TopicPolicy(name, versioned=topic.versioned, dead_letters=f"{name}.dead")


def order_events() -> "OrderEvents":
    """Build the inbox's handler."""
    from services.notification.consumers.order_events import OrderEvents

    return OrderEvents(notifications=Notifications(), planning=PostgresPlanning)


def telegram_messenger(settings: SenderSettings | BotSettings) -> TelegramMessenger:
    """Build the messenger over the Bot API."""
    return TelegramMessenger(
        token=settings.telegram_token.get_secret_value(),
        base_url=settings.telegram_url,
        request=_bot_api_request(settings, settings.calls_max),
        call_seconds=settings.call_seconds,
    )


def telegram_limits(settings: SenderSettings | BotSettings) -> tuple[list[Component], BotLimits]:
    """Build Telegram's limits for this bot, and the components that keep them for all who share the bot."""
    rates = bot_rates(
        bot_per_second=settings.bot_calls_per_second,
        chat_per_second=settings.chat_calls_per_second,
        group_per_minute=settings.group_calls_per_minute,
    )
    local = LocalLimiter(parts=settings.senders)
    if settings.limits_url is None:
        return [], BotLimits(limiter=local, rates=rates)
    bot_id = settings.telegram_token.get_secret_value().partition(":")[0]
    valkey = ValkeyLimiter(settings.limits_url.get_secret_value(), prefix=f"telegram:{bot_id}:")
    shared = FallbackLimiter(shared=valkey, local=local)
    return [shared], BotLimits(limiter=shared, rates=rates)


def telegram_updates(settings: BotSettings) -> TelegramUpdates:
    """Build what asks the Bot API, over a connection of its own: a question stays open for long."""
    return TelegramUpdates(
        token=settings.telegram_token.get_secret_value(),
        base_url=settings.telegram_url,
        request=_bot_api_request(settings, 2),
    )


def bot_updates(acquire: Acquire, settings: BotSettings, new_id: Callable[[], UUID] = uuid4) -> PostgresUpdates:
    """Build the record of who asks Telegram and what was handled."""
    lease = timedelta(seconds=settings.bot_lease_seconds)
    return PostgresUpdates(acquire=acquire, bot_id=settings.bot_id, owner=new_id(), lease=lease)


def update_loop(
    *,
    updates: Updates,
    orders: Orders,
    messenger: TelegramMessenger,
    telegram: TelegramUpdates,
    settings: BotSettings,
    limits: Limits | None = None,
) -> UpdateLoop:
    """Build the loop that asks Telegram and answers people."""
    words, seal = catalogues(), Seal(settings.telegram_token.get_secret_value())
    retry = _retry(settings, lost_edits_max=0)
    return UpdateLoop(
        telegram=telegram,
        updates=updates,
        conversation=Conversation(updates=updates, orders=orders, catalogues=words, seal=seal),
        replies=Replies(
            messenger=messenger,
            updates=updates,
            limits=limits or Unlimited(),
            retry=retry,
            calls_max=settings.calls_max,
        ),
        seal=seal,
        commands={language: command_menu(words.of(language)) for language in ("", *GRAMMARS)},
        retry=retry,
        pace=BotPace(
            poll_seconds=settings.bot_poll_seconds,
            lease_seconds=settings.bot_lease_seconds,
            standby_seconds=settings.bot_standby_seconds,
        ),
    )


def delivery_loop(
    *,
    acquire: Acquire,
    messenger: Messenger,
    settings: SenderSettings,
    limits: Limits | None = None,
    new_id: Callable[[], UUID] = uuid4,
) -> Sender:
    """Build the loop that delivers, over any messenger."""
    delivery = Delivery(
        ledger=PostgresLedger(acquire=acquire, owner=new_id()),
        messenger=messenger,
        composer=composer(settings.telegram_token.get_secret_value()),
        limits=limits or Unlimited(),
        retry=_retry(settings, lost_edits_max=settings.lost_edits_max),
        lease=timedelta(seconds=settings.lease_seconds),
    )
    pace = Pace(
        calls_max=settings.calls_max,
        poll_seconds_max=settings.poll_seconds_max,
        claim_seconds_max=settings.lease_seconds - settings.call_seconds - AHEAD_SECONDS,
    )
    return Sender(delivery=delivery, pace=pace)


def composer(token: str) -> Composer:
    """Build what writes cards and alerts; their buttons are sealed with a key made from the bot's token."""
    return Composer(catalogues=catalogues(), seal=Seal(token))


def subscriptions(acquire: Acquire) -> Subscriptions:
    """Build the use cases about links."""
    return Subscriptions(subscribers=PostgresSubscribers(acquire=acquire))


def invitations(acquire: Acquire, new_token: Callable[[], str] | None = None) -> Invitations:
    """Build the use case that offers links."""
    return Invitations(store=PostgresInvitations(acquire=acquire), new_token=new_token or random_token)


def resending(acquire: Acquire) -> Resending:
    """Build the use case that tells again what may not have been told."""
    return Resending(store=PostgresResends(acquire=acquire))


def reports(acquire: Acquire) -> PostgresReports:
    """Build what operators read."""
    return PostgresReports(acquire=acquire)


def _retry(settings: SenderSettings | BotSettings, *, lost_edits_max: int) -> RetryPolicy:
    return RetryPolicy(
        first=timedelta(seconds=settings.retry_seconds_min),
        longest=timedelta(seconds=settings.retry_seconds_max),
        lost_edits_max=lost_edits_max,
    )


def _bot_api_request(settings: SenderSettings | BotSettings, connections_max: int) -> BotApiRequest:
    return BotApiRequest(
        connections_max=connections_max,
        connect_seconds=settings.connect_seconds,
        read_seconds=settings.call_seconds,
        proxy=settings.telegram_proxy.get_secret_value() if settings.telegram_proxy else None,
    )


def _pool(dsn: str, application_name: str) -> Pool:
    return Pool(dsn, application_name=application_name, min_size=1, max_size=4)
