"""Replies as JSON: how they lie in the database until they are made."""

from typing import Any

import orjson

from services.notification.domain.message import Button, Message
from services.notification.domain.reply import (
    Addressed,
    Deed,
    EditButtons,
    EditMessage,
    Notice,
    Reply,
    SendMessage,
)
from services.notification.repository.rows import Row

_KINDS: dict[type[Deed], str] = {SendMessage: "send", EditMessage: "edit", EditButtons: "buttons"}


def to_json(reply: Reply) -> str:
    """Write a reply."""
    deed = None if reply.deed is None else {"kind": _KINDS[type(reply.deed)], "facts": reply.deed}
    return orjson.dumps({"deed": deed, "notice": reply.notice}).decode()


def addressed(row: Row) -> Addressed:
    """Read a reply with its address."""
    written = orjson.loads(row["reply"])
    return Addressed(
        update_id=row["update_id"],
        chat_id=row["chat_id"],
        query_id=row["query_id"],
        reply=Reply(deed=_deed(written["deed"]), notice=Notice(**written["notice"])),
    )


def _deed(written: dict[str, Any] | None) -> Deed | None:
    if written is None:
        return None
    facts = written["facts"]
    match written["kind"]:
        case "send":
            return SendMessage(_message(facts["message"]))
        case "edit":
            return EditMessage(facts["message_id"], _message(facts["message"]))
        case _:
            return EditButtons(facts["message_id"], _buttons(facts["buttons"]), facts["per_row"])


def _message(facts: dict[str, Any]) -> Message:
    return Message(**{**facts, "buttons": _buttons(facts["buttons"])})


def _buttons(facts: list[dict[str, str]]) -> tuple[Button, ...]:
    return tuple(Button(**button) for button in facts)
