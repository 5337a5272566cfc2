"""The columns of a row as the reader hands it on: an asyncpg Record read by position, nothing built around it."""

from typing import Any

SEQ = 0
EVENT_ID = 1
TOPIC = 2
KEY = 3
VERSION = 4
TYPE = 5
OCCURRED_AT = 6
HEADERS = 7
PAYLOAD = 8

Row = Any
"""An `asyncpg.Record` with the columns above, or any sequence of them."""
