"""The catalogue of topics refuses what would hurt later."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from events.__main__ import main
from events.create import settings_of
from events.topics import ORDER_EVENTS, UnknownTopic, catalogue, parse

LINES = {
    "name": "shop.facts",
    "carries": "facts",
    "key": "id",
    "partitions": "2",
    "retention": "30d",
    "versioned": "true",
    "max_message_bytes": "65536",
    "producer": "shop",
    "consumers": "[mail]",
    "dead_letters": "null",
    "owner": "shop",
}


def test_order_events_are_as_the_contract_says() -> None:
    topic = catalogue()[ORDER_EVENTS]

    assert (topic.name, topic.partitions, topic.versioned) == ("loms.order-events", 2, True)
    assert (topic.producer, topic.owner) == ("loms", "loms")
    assert "notification" in topic.consumers
    assert topic.retention == timedelta(days=30)
    assert topic.dead_letters == "loms.order-events.dead"


def test_dead_letters_have_one_partition_and_no_versions() -> None:
    dead = catalogue()["loms.order-events.dead"]

    assert (dead.partitions, dead.versioned, dead.dead_letters) == (1, False, None)


def test_a_service_finds_the_topics_it_writes() -> None:
    assert [topic.name for topic in catalogue().written_by("loms")] == ["loms.order-events"]


def test_an_unknown_topic_is_named_with_its_cure() -> None:
    with pytest.raises(UnknownTopic, match=r"topic loms\.orders is not in events/topics\.yaml: add it there first"):
        catalogue()["loms.orders"]


def test_a_catalogue_is_read_from_its_text() -> None:
    [topic] = parse(_yaml(LINES)).topics

    assert topic.retention_ms == 30 * 24 * 3600 * 1000
    assert topic.consumers == ("mail",)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Shop Facts"),
        ("name", '"../etc"'),
        ("partitions", "0"),
        ("partitions", '"2"'),
        ("retention", "forever"),
        ("retention", "30"),
        ("retention", "0d"),
        ("versioned", '"yes"'),
        ("max_message_bytes", "10"),
        ("consumers", "[]"),
        ("owner", '""'),
        ("colour", "red"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(field: str, value: str) -> None:
    with pytest.raises(ValidationError, match=field):
        parse(_yaml({**LINES, field: value}))


def test_a_missing_field_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationError, match="owner"):
        parse(_yaml({name: value for name, value in LINES.items() if name != "owner"}))


def test_two_topics_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two topics have the same name"):
        parse(_yaml(LINES, LINES))


def test_dead_letters_without_a_topic_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"shop\.facts\.dead is not in"):
        parse(_yaml({**LINES, "dead_letters": "shop.facts.dead"}))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "shop.rubbish"}, r"dead letters of shop\.facts belong in shop\.facts\.dead"),
        ({"versioned": "true"}, "cannot have versions"),
        ({"max_message_bytes": "65536"}, "must take more than the 65536 bytes"),
    ],
)
def test_dead_letters_that_could_not_take_the_record_are_refused(changes: dict[str, str], complaint: str) -> None:
    dead = {**LINES, "name": "shop.facts.dead", "versioned": "false", "max_message_bytes": "131072", **changes}

    with pytest.raises(ValidationError, match=complaint):
        parse(_yaml({**LINES, "dead_letters": dead["name"]}, dead))


@pytest.mark.parametrize(("copies", "in_sync"), [(1, "1"), (2, "1"), (3, "2")])
def test_two_copies_must_be_in_sync_where_there_are_three(copies: int, in_sync: str) -> None:
    assert settings_of(catalogue()[ORDER_EVENTS], copies)["min.insync.replicas"] == in_sync


def test_the_catalogue_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0

    assert capsys.readouterr().out.splitlines()[0] == (
        "loms.order-events: 2 partition(s), kept 30 days, key: order id, decimal text; loms -> notification, projection"
    )


def _yaml(*topics: dict[str, str]) -> str:
    entries = ["\n".join(f"    {name}: {value}" for name, value in topic.items()) for topic in topics]
    return "topics:\n" + "\n".join(f"  -\n{entry}" for entry in entries)
