"""NOTIFICATION_* variables, one frozen and bounded object for each process: none asks for a secret it does not need."""

import re
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis import config

_TOKEN = re.compile(r"[0-9]{1,18}:\S+")
_DSN_EXAMPLE = "postgresql://notification:secret@127.0.0.1:5432/notification"
_OWNER_EXAMPLE = "postgresql://notification_owner:secret@127.0.0.1:5432/notification"


class _Process(config.Settings):
    """What every process has."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATION_", populate_by_name=True)

    database_url: SecretStr = Field(description="database of the application role", examples=[_DSN_EXAMPLE])
    instance: str = Field("notification-0", min_length=1, max_length=100, description="name of this replica")
    health_address: str = Field("127.0.0.1:9103", description="address of /livez, /readyz and /metrics")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")


class ConsumerSettings(_Process):
    """From Kafka into the ledger."""

    kafka_bootstrap: str = Field(min_length=1, description="brokers", examples=["127.0.0.1:9092"])
    batch_events_max: int = Field(500, ge=1, le=10_000, description="events planned in one transaction at most")


class _TelegramProcess(_Process):
    """What every process that calls the Bot API has."""

    telegram_token: SecretStr = Field(
        min_length=1, description="the bot's token", examples=["123456789:the-token-botfather-gave-you"]
    )
    telegram_url: str = Field(
        "https://api.telegram.org", pattern=r"^https?://", description="address of the Bot API, without a path"
    )
    telegram_proxy: SecretStr | None = Field(None, description="proxy for the Bot API, if any")
    calls_max: int = Field(24, ge=1, le=256, description="calls in flight at most, one for each chat")
    limits_url: SecretStr | None = Field(
        None,
        description="Valkey that keeps Telegram's limits for all senders; unset: each keeps its part of them",
        examples=["redis://:secret@127.0.0.1:6379/0"],
    )
    senders: int = Field(1, ge=1, le=100, description="senders of this bot; without Valkey each keeps its part")
    bot_calls_per_second: int = Field(30, ge=1, le=10_000, description="what Telegram takes from the bot")
    chat_calls_per_second: int = Field(1, ge=1, le=10_000, description="what Telegram takes for one chat")
    group_calls_per_minute: int = Field(20, ge=1, le=100_000, description="what Telegram takes for one group")
    connect_seconds: float = Field(2.0, gt=0, le=30, description="bound of connecting to the Bot API")
    call_seconds: float = Field(8.0, gt=0, le=60, description="bound of one call; after it the answer counts as lost")
    retry_seconds_min: float = Field(0.5, gt=0, le=60, description="first pause where Telegram names none")
    retry_seconds_max: float = Field(30.0, gt=0, le=3600, description="longest pause where Telegram names none")


class SenderSettings(_TelegramProcess):
    """From the ledger to Telegram."""

    lease_seconds: float = Field(20.0, gt=0, le=600, description="how long a chat waits for a sender that died")
    lost_edits_max: int = Field(8, ge=0, le=100, description="how often an edit is repeated when its answer is lost")
    poll_seconds_max: float = Field(0.02, ge=0.005, le=5, description="longest pause between two looks for work")
    queue_sample_seconds: float = Field(5.0, ge=0.1, le=300, description="pause between two samples of the queue")

    @model_validator(mode="after")
    def _lease_outlives_a_call(self) -> Self:
        if self.lease_seconds < 2 * self.call_seconds:
            raise ValueError(
                f"NOTIFICATION_LEASE_SECONDS={self.lease_seconds} must be at least twice "
                f"NOTIFICATION_CALL_SECONDS={self.call_seconds}: a lease must not end under a call. "
                "Raise the one or lower the other."
            )
        return self


class BotSettings(_TelegramProcess):
    """From people to the service, and back."""

    bot_poll_seconds: int = Field(10, ge=1, le=50, description="how long a question for updates stays open")
    bot_lease_seconds: float = Field(15.0, gt=0, le=600, description="how long a replica that died is waited for")
    bot_standby_seconds: float = Field(1.0, ge=0.05, le=60, description="pause between two looks of a standby")
    loms_address: str = Field("127.0.0.1:8083", description="gRPC address of the owner of orders, for cancelling")
    loms_seconds: float = Field(3.0, gt=0, le=30, description="bound of one call to the owner of orders")

    @model_validator(mode="after")
    def _lease_outlives_a_question(self) -> Self:
        if self.bot_lease_seconds < self.bot_poll_seconds + 4:
            raise ValueError(
                f"NOTIFICATION_BOT_LEASE_SECONDS={self.bot_lease_seconds} must be at least four seconds more than "
                f"NOTIFICATION_BOT_POLL_SECONDS={self.bot_poll_seconds}: a lease must not end under a question. "
                "Raise the one or lower the other."
            )
        return self

    @model_validator(mode="after")
    def _token_names_its_bot(self) -> Self:
        if not _TOKEN.fullmatch(self.telegram_token.get_secret_value()):
            raise ValueError(
                "NOTIFICATION_TELEGRAM_TOKEN is no bot's token: those look like 123456789:letters-and-digits"
            )
        return self

    @property
    def bot_id(self) -> int:
        """The bot's number: the part of its token that is no secret."""
        return int(self.telegram_token.get_secret_value().partition(":")[0])


class SchemaSettings(config.Settings):
    """Migrations."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATION_", populate_by_name=True)

    owner_url: SecretStr = Field(description="direct database of the owner role", examples=[_OWNER_EXAMPLE])
    database_url: SecretStr = Field(description="database of the application role", examples=[_DSN_EXAMPLE])

    @property
    def app_role(self) -> str:
        """The role that migrations grant the application's rights to."""
        return urlsplit(self.database_url.get_secret_value()).username or "notification"
