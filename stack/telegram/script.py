"""Faults by order: what the next calls for a chat are answered, step by step.

A step either *refuses* (nothing accepted, nothing logged) or *loses the answer* (accepted and logged, unless the step
says `"accepted": false`, and then the answer is an error, a broken body, a closed connection or silence). Scripts live
in memory: a restart forgets them. They are written by tests and demos through `POST /_/script`.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stack.telegram import refusals
from stack.telegram.refusals import ApiRefusal

_NAMED_REFUSALS = {
    "chat_not_found": refusals.chat_not_found(),
    "not_modified": refusals.not_modified(),
    "edit_not_found": refusals.bad_request("message to edit not found"),
    "cannot_parse": refusals.cannot_parse('Unsupported start tag "x" at byte offset 0'),
    "too_long": refusals.bad_request("message is too long"),
    "blocked": refusals.blocked(),
    "deactivated": refusals.deactivated(),
    "unauthorized": refusals.unauthorized(),
    "not_found": refusals.token_malformed(),
}
REFUSING = frozenset({*_NAMED_REFUSALS, "too_many_requests", "migrate", "error"})
LOSING = frozenset({"server_error", "html", "close", "silence"})
ANSWERS = REFUSING | LOSING | {"ok"}
_STEPS_MAX = 1_000
_WHOLE = (int, type(None))
_TEXT = (str, type(None))
_FIELD_KINDS: dict[str, tuple[type, ...]] = {
    "times": _WHOLE,
    "method": _TEXT,
    "retry_after": _WHOLE,
    "migrate_to": _WHOLE,
    "error_code": _WHOLE,
    "description": _TEXT,
    "delay_seconds": (int, float),
}


class BadScript(ValueError):
    """The posted script cannot be followed; the text says which step and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What to do with the next `times` calls (`None`: with every call from now on)."""

    answer: str
    times: int | None = 1
    method: str | None = None  # only calls of this method; None = any
    retry_after: int | None = None
    migrate_to: int | None = None
    error_code: int | None = None
    description: str | None = None
    accepted: bool = True
    delay_seconds: float = 0.0

    def refusal(self) -> ApiRefusal | None:
        """Give the refusal this step orders; None if the call is to be accepted."""
        match self.answer:
            case "too_many_requests":
                return refusals.too_many_requests(self.retry_after)
            case "migrate":
                return refusals.migrated(self.migrate_to or 0)
            case "error":
                parameters = {} if self.retry_after is None else {"retry_after": self.retry_after}
                return ApiRefusal(self.error_code or 400, self.description or "Bad Request", parameters)
            case name:
                return _NAMED_REFUSALS.get(name)


NO_STEP = Step(answer="ok", times=None)


class Script:
    """The steps still to come, per chat; `None` as the chat means every chat without steps of its own."""

    def __init__(self) -> None:
        self._steps: dict[int | None, deque[Step]] = {}

    def replace(self, chat_id: int | None, steps: Sequence[Step]) -> None:
        """Forget what was planned for the chat and plan these."""
        if steps:
            self._steps[chat_id] = deque(steps)
        else:
            self._steps.pop(chat_id, None)

    def next(self, chat_id: int | None, method: str) -> Step:
        """Give the step for this call and count it; without one, everything is well."""
        for owner in (chat_id, None):
            step = self._take(owner, method)
            if step is not None:
                return step
        return NO_STEP

    def remaining(self) -> dict[str, int]:
        """Give how many steps each chat still has before it."""
        return {"*" if chat is None else str(chat): len(steps) for chat, steps in self._steps.items()}

    def _take(self, owner: int | None, method: str) -> Step | None:
        steps = self._steps.get(owner)
        if not steps or steps[0].method not in {None, method}:
            return None
        step = steps[0]
        if step.times is not None:
            steps[0] = replace(step, times=step.times - 1)
            if step.times <= 1:
                steps.popleft()
        if not steps:
            del self._steps[owner]
        return step


def parse_steps(raw: object) -> list[Step]:
    """Check a posted list of steps; raise BadScript naming the first one that is wrong."""
    if not isinstance(raw, list) or len(raw) > _STEPS_MAX:
        raise BadScript(f"steps: expected a list of at most {_STEPS_MAX}")
    return [_parse_step(number, step) for number, step in enumerate(raw)]


def _parse_step(number: int, raw: object) -> Step:
    if not isinstance(raw, Mapping):
        raise BadScript(f"step {number}: expected an object")
    facts: dict[str, Any] = dict(raw)
    unknown = facts.keys() - Step.__dataclass_fields__.keys()
    if unknown:
        raise BadScript(f"step {number}: unknown fields {sorted(unknown)}")
    if facts.get("answer") not in ANSWERS:
        raise BadScript(f"step {number}: answer {facts.get('answer')!r} is not one of {sorted(ANSWERS)}")
    for name, kinds in _FIELD_KINDS.items():
        if name in facts and not isinstance(facts[name], kinds):
            raise BadScript(f"step {number}: {name} cannot be {facts[name]!r}")
    if facts["answer"] == "migrate" and facts.get("migrate_to") is None:
        raise BadScript(f"step {number}: migrate needs migrate_to, the new chat id")
    if (times := facts.get("times")) is not None and times < 1:
        raise BadScript(f"step {number}: times cannot be {times}: at least 1, or null for every call")
    return Step(**facts)
