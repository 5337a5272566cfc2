"""What the relay of the command line says carries its facts."""

import logging

from outbox.log_lines import FactsFormatter


def test_a_line_carries_its_facts() -> None:
    record = logging.makeLogRecord(
        {"msg": "relay.session_lost", "levelname": "WARNING", "cause": "refused()", "retry_seconds": 0.1}
    )

    assert FactsFormatter("%(levelname)s %(message)s").format(record) == (
        "WARNING relay.session_lost cause=refused() retry_seconds=0.1"
    )


def test_a_line_without_facts_is_only_its_event() -> None:
    assert FactsFormatter("%(message)s").format(logging.makeLogRecord({"msg": "relay.tenure_ended"})) == (
        "relay.tenure_ended"
    )


def test_a_traceback_follows_the_facts() -> None:
    record = logging.makeLogRecord({"msg": "failed", "key": "42", "exc_info": (ValueError, ValueError("why"), None)})

    assert FactsFormatter("%(message)s").format(record) == "failed key=42\nValueError: why"
