"""Build the process of the projection from its parts: the only file that constructs."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from chassis import logs, telemetry
from chassis.asgi import AsgiServer
from chassis.clock import SystemClock
from chassis.health import Health
from chassis.lifecycle import Service, Task
from services.projection.api.gauges import publish
from services.projection.api.http import application
from services.projection.consumers.dead_letters import KafkaDeadLetters
from services.projection.consumers.order_events import OrderEvents
from services.projection.consumers.reader import FaustReader
from services.projection.service.projection import Projection

if TYPE_CHECKING:
    from services.projection.settings import ViewSettings

DOMAIN = "projection"
_TALKATIVE = ("aiokafka", "faust", "mode")
"""Libraries that tell every step of their start."""


def view(settings: ViewSettings) -> Service:
    """Build the process that keeps the view and serves it."""
    logs.configure(DOMAIN, "view", settings.log_level)
    for library in _TALKATIVE:
        logging.getLogger(library).setLevel(logging.WARNING)
    tracing = telemetry.configure(DOMAIN, "view", settings.otlp_endpoint)
    clock = SystemClock()
    projection = Projection(clock)
    publish(projection, clock)
    dead_letters = KafkaDeadLetters(bootstrap_servers=settings.kafka_bootstrap)
    reader = FaustReader(
        bootstrap_servers=settings.kafka_bootstrap,
        instance=settings.instance,
        projection=projection,
        handle=OrderEvents(projection=projection, dead_letters=dead_letters),
    )
    server = AsgiServer(settings.http_address, application(projection=projection, clock=clock, rebuild=reader.rebuild))
    health = Health(settings.health_address, {"faust": reader.check})
    return Service("projection", tracing, health, dead_letters, reader, Task("faust", reader.watch), server)
