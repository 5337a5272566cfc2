"""What the Bot API answers when it says no, in the real one's words.

A refusal was decided *before* anything was accepted: a refused call leaves no line in the acceptance log.
"""

from collections.abc import Mapping


class ApiRefusal(Exception):
    """One `{"ok": false}` answer: HTTP status and error code are the same number, as in the real API."""

    def __init__(self, code: int, description: str, parameters: Mapping[str, int] | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})

    def body(self) -> dict[str, object]:
        """Give the JSON object of the answer."""
        body: dict[str, object] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


def bad_request(reason: str) -> ApiRefusal:
    """400 with the prefix every such text carries."""
    return ApiRefusal(400, f"Bad Request: {reason}")


def cannot_parse(reason: str) -> ApiRefusal:
    """400 for a text whose markup is broken; the whole text is refused."""
    return bad_request(f"can't parse entities: {reason}")


def unauthorized() -> ApiRefusal:
    """401: the token is well formed and not ours."""
    return ApiRefusal(401, "Unauthorized")


def token_malformed() -> ApiRefusal:
    """404: what stands in the token's place cannot be a token."""
    return ApiRefusal(404, "Not Found")


def method_unknown() -> ApiRefusal:
    """404: a method this stand-in does not speak."""
    return ApiRefusal(404, "Not Found: method not found")


def blocked() -> ApiRefusal:
    """403: the user stopped the bot."""
    return ApiRefusal(403, "Forbidden: bot was blocked by the user")


def deactivated() -> ApiRefusal:
    """403: the account is gone."""
    return ApiRefusal(403, "Forbidden: user is deactivated")


def chat_not_found() -> ApiRefusal:
    """400: no such chat for this bot."""
    return bad_request("chat not found")


def not_modified() -> ApiRefusal:
    """400: the edit would change nothing."""
    return bad_request(
        "message is not modified: specified new message content and reply markup are exactly the same "
        "as a current content and reply markup of the message"
    )


def too_many_requests(retry_after: int | None) -> ApiRefusal:
    """429; without `retry_after` the answer says nothing of when, as proxies before the real API do."""
    if retry_after is None:
        return ApiRefusal(429, "Too Many Requests")
    return ApiRefusal(429, f"Too Many Requests: retry after {retry_after}", {"retry_after": retry_after})


def migrated(to_chat_id: int) -> ApiRefusal:
    """400: the group became a supergroup with another id."""
    return ApiRefusal(
        400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": to_chat_id}
    )


def conflict() -> ApiRefusal:
    """409: a newer long poll took the updates over."""
    return ApiRefusal(
        409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
    )
