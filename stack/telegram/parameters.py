"""Reads the parameters of a Bot API call: from the query, a form or JSON, with the refusals the real API gives.

Structured values arrive as JSON text inside a form field, or as JSON when the whole body is JSON; both are accepted.
"""

from typing import Any
from urllib.parse import parse_qsl

import orjson

from stack.telegram import refusals
from stack.telegram.html_text import FormattedText, parse_html, utf16_length

TEXT_UNITS_MAX = 4096
_SOURCE_CHARACTERS_MAX = 65_536
_CALLBACK_DATA_BYTES_MAX = 64
_FIELDS_MAX = 100

Parameters = dict[str, Any]


def read(query: str, content_type: str, body: bytes) -> Parameters:
    """Merge query and body; raise the 400 for a body that cannot be read."""
    parameters: Parameters = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=_FIELDS_MAX))
    if not body:
        return parameters
    try:
        if content_type.startswith("application/json"):
            return parameters | _json_object(body)
        if content_type.startswith("application/x-www-form-urlencoded"):
            return parameters | dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX))
    except ValueError as error:
        raise refusals.bad_request("can't parse the request body") from error
    raise refusals.bad_request("unsupported content type of the request body")


def chat_id(parameters: Parameters) -> int:
    """Give the chat; names of channels are not known here."""
    value = parameters.get("chat_id", "")
    if value == "":
        raise refusals.bad_request("chat_id is empty")
    number = _number(value)
    if number is None or number == 0:
        raise refusals.chat_not_found()
    return number


def message_id(parameters: Parameters) -> int:
    """Give the message an edit or a deletion means."""
    number = _number(parameters.get("message_id", ""))
    if number is None:
        raise refusals.bad_request("message identifier is not specified")
    return number


def integer(parameters: Parameters, name: str, default: int) -> int:
    """Give a whole number; anything that is none counts as absent, as in the real API."""
    number = _number(parameters.get(name, ""))
    return default if number is None else number


def flag(parameters: Parameters, name: str) -> bool:
    """Give a yes or no; forms write it as a word."""
    return str(parameters.get(name, "")).lower() in {"true", "1"}


def formatted_text(parameters: Parameters) -> FormattedText:
    """Parse the text by its parse mode and check what people would see of it."""
    source = str(parameters.get("text", ""))
    if len(source) > _SOURCE_CHARACTERS_MAX:
        raise refusals.bad_request("message is too long")
    match str(parameters.get("parse_mode") or "").lower():
        case "":
            formatted = FormattedText(source)
        case "html":
            parameters["parse_mode"] = "HTML"
            formatted = parse_html(source)
        case _:
            raise refusals.bad_request("unsupported parse_mode")
    if not formatted.text.strip():
        raise refusals.bad_request("message text is empty")
    if utf16_length(formatted.text) > TEXT_UNITS_MAX:
        raise refusals.bad_request("message is too long")
    return formatted


def structured(parameters: Parameters, name: str) -> Any:
    """Give a parameter that is JSON, from text or as it is; None when absent or not JSON."""
    value = parameters.get(name)
    if not isinstance(value, str):
        return value
    try:
        return orjson.loads(value) if value else None
    except orjson.JSONDecodeError:
        return None


def inline_keyboard(parameters: Parameters) -> dict[str, Any] | None:
    """Check the buttons; other kinds of keyboards are kept as they come."""
    raw = parameters.get("reply_markup")
    if raw in (None, ""):
        return None
    markup = structured(parameters, "reply_markup")
    if not isinstance(markup, dict):
        raise refusals.bad_request("object expected as reply markup")
    for row in markup.get("inline_keyboard", []):
        if not isinstance(row, list):
            raise refusals.bad_request("can't parse inline keyboard: expected an array of rows")
        for button in row:
            _check_button(button)
    return markup


def _check_button(button: object) -> None:
    if not isinstance(button, dict) or not str(button.get("text", "")).strip():
        raise refusals.bad_request(
            "can't parse inline keyboard button: text buttons are unallowed in the inline keyboard"
        )
    if not button.keys() - {"text"}:
        raise refusals.bad_request(
            "can't parse inline keyboard button: text buttons are unallowed in the inline keyboard"
        )
    data = button.get("callback_data")
    if data is not None and not 1 <= len(str(data).encode()) <= _CALLBACK_DATA_BYTES_MAX:
        raise refusals.bad_request("BUTTON_DATA_INVALID")


def _json_object(body: bytes) -> Parameters:
    value = orjson.loads(body)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004  read() turns every ValueError into the 400
    return value


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None
