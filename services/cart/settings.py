"""CART_* variables, one frozen and bounded object for each process."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis import config

_DSN_EXAMPLE = "postgresql://cart:secret@127.0.0.1:5432/cart"
_OWNER_EXAMPLE = "postgresql://cart_owner:secret@127.0.0.1:5432/cart"
_CACHE_EXAMPLE = '["redis://:secret@127.0.0.1:6380/0", "redis://:secret@127.0.0.1:6381/0"]'


class ApiSettings(config.Settings):
    """The service."""

    model_config = SettingsConfigDict(env_prefix="CART_", populate_by_name=True)

    instance: str = Field("cart-0", min_length=1, max_length=100, description="name of this replica")
    health_address: str = Field("127.0.0.1:9101", description="address of /livez, /readyz and /metrics")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")

    database_url: SecretStr = Field(description="database of the application role", examples=[_DSN_EXAMPLE])
    http_address: str = Field("127.0.0.1:8080", description="address of the HTTP face")
    loms_address: str = Field("127.0.0.1:8083", description="LOMS over gRPC")
    product_address: str = Field("127.0.0.1:8085", description="the catalogue over gRPC")
    cache_urls: list[SecretStr] = Field(
        min_length=1, max_length=64, description="the shards of the card cache, a JSON list", examples=[_CACHE_EXAMPLE]
    )
    cache_ttl_seconds: float = Field(10.0, gt=0, le=3600, description="how old a name or a price may be")
    limits_url: SecretStr = Field(
        description="where replicas share rates", examples=["redis://:secret@127.0.0.1:6379/0"]
    )
    product_calls_per_second_max: int = Field(10, ge=1, le=10_000, description="calls of the catalogue, all replicas")
    replicas: int = Field(1, ge=1, le=100, description="carts in all: each one's part of the rate while none is shared")
    checkouts_kept_days: int = Field(
        30, ge=2, le=3_650, description="how long an ended checkout answers for its Idempotency-Key"
    )
    pool_size: int = Field(16, ge=1, le=200, description="connections to the database at most")
    request_seconds_max: float = Field(10.0, gt=0, le=300, description="what a request may take, with all its calls")
    call_seconds_max: float = Field(2.0, gt=0, le=60, description="what one call of a neighbour may take")


class SchemaSettings(config.Settings):
    """Migrations."""

    model_config = SettingsConfigDict(env_prefix="CART_", populate_by_name=True)

    owner_url: SecretStr = Field(description="direct database of the owner role", examples=[_OWNER_EXAMPLE])
    database_url: SecretStr = Field(description="database of the application role", examples=[_DSN_EXAMPLE])

    @property
    def app_role(self) -> str:
        """The role that migrations grant the application's rights to."""
        return urlsplit(self.database_url.get_secret_value()).username or "cart"
