"""The catalogue of topics, read from `topics.yaml` and checked before anyone relies on it."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

ORDER_EVENTS = "loms.order-events"

_UNITS = {"h": "hours", "d": "days"}


def _duration(text: object) -> object:
    """Read `30d` or `12h`; anything else is left for pydantic to refuse."""
    if isinstance(text, str) and text[:-1].isdecimal() and text[-1:] in _UNITS:
        return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})
    return text


class Topic(BaseModel):
    """One topic: its name on the broker and every promise about it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9.-]*$", max_length=200)
    carries: str = Field(min_length=1)
    key: str = Field(min_length=1)
    partitions: int = Field(ge=1, le=256)
    retention: Annotated[timedelta, BeforeValidator(_duration), Field(ge=timedelta(hours=1), le=timedelta(days=3650))]
    versioned: bool
    max_message_bytes: int = Field(ge=1024, le=10 * 1024 * 1024)
    producer: str = Field(min_length=1)
    consumers: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    dead_letters: str | None
    owner: str = Field(min_length=1)

    @property
    def retention_ms(self) -> int:
        """The retention as Kafka counts it."""
        return self.retention // timedelta(milliseconds=1)


class Catalogue(BaseModel):
    """All topics. Names are unique, and dead letters go to a topic that can take them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topics: tuple[Topic, ...]

    def __getitem__(self, name: str) -> Topic:
        """Return the topic of this name; raise `UnknownTopic`."""
        for topic in self.topics:
            if topic.name == name:
                return topic
        raise UnknownTopic(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all topics, in the order of the file."""
        return tuple(topic.name for topic in self.topics)

    def written_by(self, producer: str) -> Iterator[Topic]:
        """Return the topics a service writes."""
        return (topic for topic in self.topics if topic.producer == producer)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(set(self.names)) != len(self.names):
            raise ValueError("two topics have the same name")
        for topic in self.topics:
            if topic.dead_letters is not None:
                _check_dead_letters(topic, self[topic.dead_letters])
        return self


class UnknownTopic(ValueError):
    """No topic of this name stands in the catalogue."""

    def __init__(self, name: str) -> None:
        super().__init__(f"topic {name} is not in events/topics.yaml: add it there first")
        self.name = name


@cache
def catalogue() -> Catalogue:
    """Return the platform's catalogue; raise `pydantic.ValidationError` when the file is wrong."""
    return parse(resources.files("events").joinpath("topics.yaml").read_text(encoding="utf-8"))


def parse(text: str) -> Catalogue:
    """Return the catalogue a YAML text describes."""
    return Catalogue.model_validate(yaml.safe_load(text))


def _check_dead_letters(topic: Topic, dead: Topic) -> None:
    if dead.name != f"{topic.name}.dead":
        raise ValueError(f"dead letters of {topic.name} belong in {topic.name}.dead, not in {dead.name}")
    if dead.versioned:
        raise ValueError(f"{dead.name} has several producers, so it cannot have versions")
    if dead.max_message_bytes <= topic.max_message_bytes:
        raise ValueError(f"{dead.name} must take more than the {topic.max_message_bytes} bytes of {topic.name}")
