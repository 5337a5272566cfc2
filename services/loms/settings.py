"""LOMS_* variables, one frozen and bounded object for each process: none asks for a password it does not need."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis import config

_DSN_EXAMPLE = "postgresql://loms:secret@127.0.0.1:5432/loms"
_OWNER_EXAMPLE = "postgresql://loms_owner:secret@127.0.0.1:5432/loms"


class _Process(config.Settings):
    """What every process has."""

    model_config = SettingsConfigDict(env_prefix="LOMS_", populate_by_name=True)

    instance: str = Field("loms-0", min_length=1, max_length=100, description="name of this replica")
    health_address: str = Field("127.0.0.1:9101", description="address of /livez, /readyz and /metrics")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")


class ApiSettings(_Process):
    """The gRPC service."""

    database_url: SecretStr = Field(description="database of the application role", examples=[_DSN_EXAMPLE])
    direct_url: SecretStr = Field(description="the same without a pooler, for the wake", examples=[_DSN_EXAMPLE])
    grpc_address: str = Field("127.0.0.1:8083", description="address of the gRPC service")
    pool_size: int = Field(16, ge=1, le=200, description="connections to the database at most")
    calls_max: int = Field(1_000, ge=1, le=100_000, description="calls served at the same time at most")
    expirer: bool = Field(default=True, description="whether this replica cancels orders that stay unpaid too long")
    unpaid_seconds: int = Field(600, ge=1, le=31_536_000, description="how long an order may stay unpaid")


class RelaySettings(_Process):
    """The relay from the outbox to Kafka."""

    owner_url: SecretStr = Field(description="direct database of the owner role", examples=[_OWNER_EXAMPLE])
    kafka_bootstrap: str = Field(min_length=1, description="brokers", examples=["127.0.0.1:9092"])


class SchemaSettings(config.Settings):
    """Migrations and the seed."""

    model_config = SettingsConfigDict(env_prefix="LOMS_", populate_by_name=True)

    owner_url: SecretStr = Field(description="direct database of the owner role", examples=[_OWNER_EXAMPLE])
    database_url: SecretStr = Field(description="database of the application role", examples=[_DSN_EXAMPLE])

    @property
    def app_role(self) -> str:
        """The role that migrations grant the application's rights to."""
        return urlsplit(self.database_url.get_secret_value()).username or "loms"
