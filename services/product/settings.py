"""PRODUCT_* variables, one frozen and bounded object for each process."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from chassis import config

_DSN_EXAMPLE = "postgresql://product:secret@127.0.0.1:5432/product"
_OWNER_EXAMPLE = "postgresql://product_owner:secret@127.0.0.1:5432/product"


class ApiSettings(config.Settings):
    """The service."""

    model_config = SettingsConfigDict(env_prefix="PRODUCT_", populate_by_name=True)

    instance: str = Field("product-0", min_length=1, max_length=100, description="name of this replica")
    health_address: str = Field("127.0.0.1:9101", description="address of /livez, /readyz and /metrics")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")

    database_url: SecretStr = Field(description="database of the application role", examples=[_DSN_EXAMPLE])
    http_address: str = Field("127.0.0.1:8082", description="address of the HTTP face")
    grpc_address: str = Field("127.0.0.1:8085", description="address of the gRPC face")
    api_key: SecretStr = Field(SecretStr("testToken"), description="what callers over HTTP send as X-API-KEY")
    pool_size: int = Field(8, ge=1, le=200, description="connections to the database at most")
    latency_seconds: float = Field(0.0, ge=0, le=60, description="a pause in every call, for tests and demos")
    calls_per_second_max: int = Field(0, ge=0, le=100_000, description="calls started in one second; 0: no bound")


class SchemaSettings(config.Settings):
    """Migrations and the seed."""

    model_config = SettingsConfigDict(env_prefix="PRODUCT_", populate_by_name=True)

    owner_url: SecretStr = Field(description="direct database of the owner role", examples=[_OWNER_EXAMPLE])
    database_url: SecretStr = Field(description="database of the application role", examples=[_DSN_EXAMPLE])

    @property
    def app_role(self) -> str:
        """The role that migrations grant the application's rights to."""
        return urlsplit(self.database_url.get_secret_value()).username or "product"
