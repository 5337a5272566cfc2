"""A log line is one JSON object, with the ids of its span and without any secret."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider

from chassis import logs


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """Where the lines go; the ways of the other tests are put back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    written = io.StringIO()
    logs.configure("shop", "api", "info", secrets=['7:AA"tok\\en'], output=written)
    yield written
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers, root.level = before, level


def test_a_line_says_when_who_and_what(output: io.StringIO) -> None:
    logs.get_logger().info("order.paid", order_id=42)

    [line] = _lines(output)
    assert line.pop("at").endswith("Z")
    assert line == {"level": "info", "service": "shop", "process": "api", "event": "order.paid", "order_id": 42}


def test_a_line_inside_a_span_carries_its_ids(output: io.StringIO) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("work") as span:
        logs.get_logger().info("order.paid")

    [line] = _lines(output)
    context = span.get_span_context()
    assert line["trace_id"] == f"{context.trace_id:032x}"
    assert line["span_id"] == f"{context.span_id:016x}"


def test_a_line_below_the_level_is_not_written(output: io.StringIO) -> None:
    logs.get_logger().debug("order.looked_at")

    assert _lines(output) == []


def test_an_exception_is_told_by_name_text_and_stack(output: io.StringIO) -> None:
    try:
        _fail(ValueError("too much"))
    except ValueError:
        logs.get_logger().exception("order.failed")

    [line] = _lines(output)
    assert (line["level"], line["error"], line["error_text"]) == ("error", "ValueError", "too much")
    assert "test_an_exception_is_told" in line["stack"]


def test_what_a_library_says_has_the_same_shape(output: io.StringIO) -> None:
    logging.getLogger("aiokafka.consumer").warning("partition %d lost", 3)

    [line] = _lines(output)
    assert (line["event"], line["message"], line["service"]) == ("aiokafka.consumer", "partition 3 lost", "shop")


def test_an_exception_of_a_library_keeps_its_stack(output: io.StringIO) -> None:
    try:
        _fail(OSError("gone"))
    except OSError:
        logging.getLogger("grpc").exception("call failed")

    [line] = _lines(output)
    assert (line["error"], line["error_text"], line["message"]) == ("OSError", "gone", "call failed")


def test_the_urls_a_client_library_repeats_are_not_written(output: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://api.telegram.org/bot123:secret/sendMessage")

    assert _lines(output) == []


def test_a_secret_is_masked_wherever_it_appears(output: io.StringIO) -> None:
    logs.get_logger().error("telegram.refused", url='https://host/bot7:AA"tok\\en/getMe')
    logging.getLogger("library").error('token 7:AA"tok\\en is wrong')

    assert "tok" not in output.getvalue().replace("token", "")
    assert [line.get("url", line.get("message")) for line in _lines(output)] == [
        "https://host/bot***/getMe",
        "token *** is wrong",
    ]


def test_a_fact_of_any_kind_can_be_written(output: io.StringIO) -> None:
    logs.get_logger().info("odd", kind=ValueError, by_number={1: object})

    assert _lines(output)[0]["kind"] == "<class 'ValueError'>"


def _fail(error: Exception) -> None:
    raise error


def _lines(output: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]
