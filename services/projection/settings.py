"""PROJECTION_* variables, one frozen and bounded object."""

from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis import config


class ViewSettings(config.Settings):
    """The process that keeps the view and serves it."""

    model_config = SettingsConfigDict(env_prefix="PROJECTION_", populate_by_name=True)

    instance: str = Field("projection-0", min_length=1, max_length=100, description="name of this replica")
    kafka_bootstrap: str = Field(min_length=1, description="brokers", examples=["127.0.0.1:9092"])
    http_address: str = Field("127.0.0.1:8087", description="address of the HTTP face")
    health_address: str = Field("127.0.0.1:9101", description="address of /livez, /readyz and /metrics")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", validation_alias="LOG_LEVEL")
    otlp_endpoint: str | None = Field(None, validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT")
