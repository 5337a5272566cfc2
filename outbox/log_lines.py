"""Log lines for the library's own commands: the event, then its facts as `name=value`."""

import logging

_NO_FACTS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class FactsFormatter(logging.Formatter):
    """Appends what an event was given in `extra`; a program around the library has a formatter of its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        """The line without a traceback."""
        facts = (f" {name}={value}" for name, value in vars(record).items() if name not in _NO_FACTS)
        return super().formatMessage(record) + "".join(facts)
