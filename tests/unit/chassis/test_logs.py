"""A log line is one JSON object, with the ids of its span and without any secret."""

import logging
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider

from chassis import logs
from tests.captured_logs import CapturedLogs, captured_logs


@pytest.fixture
def output() -> Iterator[CapturedLogs]:
    with captured_logs(secrets=('7:AA"tok\\en',)) as captured:
        yield captured


def test_a_line_says_when_who_and_what(output: CapturedLogs) -> None:
    logs.get_logger().info("order.paid", order_id=42)

    [line] = output.lines
    assert line.pop("at").endswith("Z")
    assert line == {"level": "info", "service": "shop", "process": "api", "event": "order.paid", "order_id": 42}


def test_a_line_inside_a_span_carries_its_ids(output: CapturedLogs) -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("work") as span:
        logs.get_logger().info("order.paid")

    [line] = output.lines
    context = span.get_span_context()
    assert line["trace_id"] == f"{context.trace_id:032x}"
    assert line["span_id"] == f"{context.span_id:016x}"


def test_a_line_below_the_level_is_not_written(output: CapturedLogs) -> None:
    logs.get_logger().debug("order.looked_at")

    assert output.lines == []


def test_an_exception_is_told_by_name_text_and_stack(output: CapturedLogs) -> None:
    try:
        _fail(ValueError("too much"))
    except ValueError:
        logs.get_logger().exception("order.failed")

    [line] = output.lines
    assert (line["level"], line["error"], line["error_text"]) == ("error", "ValueError", "too much")
    assert "test_an_exception_is_told" in line["stack"]


def test_what_a_library_says_has_the_same_shape(output: CapturedLogs) -> None:
    logging.getLogger("aiokafka.consumer").warning("partition %d lost", 3)

    [line] = output.lines
    assert (line["event"], line["message"], line["service"]) == ("aiokafka.consumer", "partition 3 lost", "shop")


def test_an_exception_of_a_library_keeps_its_stack(output: CapturedLogs) -> None:
    try:
        _fail(OSError("gone"))
    except OSError:
        logging.getLogger("grpc").exception("call failed")

    [line] = output.lines
    assert (line["error"], line["error_text"], line["message"]) == ("OSError", "gone", "call failed")


def test_a_library_that_repeats_itself_is_heard_once_and_counted_later(output: CapturedLogs) -> None:
    [handler] = [ours for ours in logging.getLogger().handlers if type(ours).__module__ == "chassis.logs"]
    for second in (0.0, 1.0, 2.0, 9.9, 10.0):
        record = logging.LogRecord("aiokafka", logging.WARNING, __file__, 1, "no route to %s", (f"b{second}",), None)
        record.created = second
        handler.emit(record)

    assert [(line["message"], line.get("repeated")) for line in output.lines] == [
        ("no route to b0.0", None),
        ("no route to b10.0", 3),
    ]


def test_what_is_remembered_of_libraries_is_bounded(output: CapturedLogs) -> None:
    for number in range(1_000):
        logging.getLogger("library").warning(f"message {number}")  # noqa: G004 - a library that does it wrong

    assert len(output.lines) == 1_000


def test_the_urls_a_client_library_repeats_are_not_written(output: CapturedLogs) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST https://api.telegram.org/bot123:secret/sendMessage")

    assert output.lines == []


def test_a_secret_is_masked_wherever_it_appears(output: CapturedLogs) -> None:
    logs.get_logger().error("telegram.refused", url='https://host/bot7:AA"tok\\en/getMe')
    logging.getLogger("library").error('token 7:AA"tok\\en is wrong')

    assert "tok" not in output.text.replace("token", "")
    assert [line.get("url", line.get("message")) for line in output.lines] == [
        "https://host/bot***/getMe",
        "token *** is wrong",
    ]


def test_a_fact_of_any_kind_can_be_written(output: CapturedLogs) -> None:
    logs.get_logger().info("odd", kind=ValueError, by_number={1: object})

    assert output.lines[0]["kind"] == "<class 'ValueError'>"


def _fail(error: Exception) -> None:
    raise error
