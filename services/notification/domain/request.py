"""What people ask of the bot: closed variants, whether they were typed or tapped. `data_of` and `pressed` are inverse.

The data of a button is short and readable; it is sealed before it leaves (`domain/seal.py`). Buttons about an order say
`<place>:<order>:<version>:<action>`, where the place is `o`, its card, or `s`, an answer of the bot: only cards and
alerts may begin with `o:`, by which they are told apart from conversation.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Start:
    """`/start`, alone or from a link with its token."""

    token: str | None = None


@dataclass(frozen=True, slots=True)
class ShowOrders:
    """The newest orders, or those before an order."""

    before: int | None = None


@dataclass(frozen=True, slots=True)
class ShowOrder:
    """One order's story; None when no number was given."""

    order_id: int | None


@dataclass(frozen=True, slots=True)
class AskMute:
    """`/mute`."""


@dataclass(frozen=True, slots=True)
class AskLanguage:
    """`/language`."""


@dataclass(frozen=True, slots=True)
class Why:
    """`/why`: why this chat is told anything."""


@dataclass(frozen=True, slots=True)
class Stop:
    """`/stop`."""


@dataclass(frozen=True, slots=True)
class Help:
    """`/help`."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything we do not understand."""


@dataclass(frozen=True, slots=True)
class WentAway:
    """The person blocked the bot; nobody is there to read an answer."""


class LinkChoice(StrEnum):
    """What a person says to the offer of a link. Moving is a word of its own: a link never moves by a mere yes."""

    LINK = "y"
    MOVE = "v"
    DECLINE = "n"


@dataclass(frozen=True, slots=True)
class AnswerLink:
    """A choice about an offered link."""

    link_id: int
    choice: LinkChoice


@dataclass(frozen=True, slots=True)
class Speak:
    """Choose a language."""

    language: str


class Place(StrEnum):
    """Where a button about an order lies."""

    CARD = "o"
    ANSWER = "s"


class Action(StrEnum):
    """What a button about an order does."""

    DETAILS = "d"
    ALERT_DETAILS = "a"
    ASK_MUTE = "m"
    MUTE_ORDER = "t"
    MUTE_HOUR = "h"
    MUTE_WORKDAY = "w"
    MUTE_ALL = "e"
    UNMUTE = "u"
    ASK_CANCEL = "c"
    CANCEL = "x"
    BACK = "b"


@dataclass(frozen=True, slots=True)
class Tap:
    """A button about an order."""

    place: Place
    order_id: int
    version: int
    action: Action


@dataclass(frozen=True, slots=True)
class Mute:
    """A button under the answer to `/mute`: one of the choices that concern everything."""

    action: Action


@dataclass(frozen=True, slots=True)
class StaleButton:
    """A button that is not ours, or not any more."""


Request = (
    Start
    | ShowOrders
    | ShowOrder
    | AskMute
    | AskLanguage
    | Why
    | Stop
    | Help
    | Unknown
    | WentAway
    | AnswerLink
    | Speak
    | Tap
    | Mute
    | StaleButton
)

Pressed = ShowOrders | AnswerLink | Speak | Tap | Mute
"""What a button can stand for."""

ID_MAX = 2**63 - 1
EVERYTHING = frozenset({Action.MUTE_HOUR, Action.MUTE_WORKDAY, Action.MUTE_ALL, Action.UNMUTE})
_TAP = re.compile(r"([os]):([0-9]{1,19}):([0-9]{1,19}):([a-z])")
_OTHER = re.compile(r"([a-z]):([a-z0-9]{1,19})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request and who makes it. `language` is the phone's, if Telegram said so.

    `query_id` is the tap that waits for an answer, `message_id` the message under which it was made.
    """

    update_id: int
    chat_id: int
    private: bool
    language: str
    request: Request
    query_id: str | None = None
    message_id: int | None = None


def data_of(request: Pressed) -> str:
    """Write what a button carries."""
    match request:
        case Tap(place, order_id, version, action):
            return f"{place}:{order_id}:{version}:{action}"
        case ShowOrders(before):
            return f"p:{before or 0}"
        case AnswerLink(link_id, choice):
            return f"{choice}:{link_id}"
        case Speak(language):
            return f"l:{language}"
        case Mute(action):
            return f"g:{action}"


def pressed(data: str) -> Request:
    """Read what a button carries; what nobody could have written is a stale button."""
    if tap := _TAP.fullmatch(data):
        return _tapped(*tap.groups())
    if other := _OTHER.fullmatch(data):
        return _chosen(*other.groups())
    return StaleButton()


def _tapped(place: str, order_id: str, version: str, action: str) -> Request:
    if action not in set(Action) or int(order_id) > ID_MAX:
        return StaleButton()
    return Tap(Place(place), int(order_id), int(version), Action(action))


def _chosen(kind: str, value: str) -> Request:
    number = int(value) if value.isdigit() and int(value) <= ID_MAX else None
    if kind == "l":
        return Speak(value)
    if kind == "g" and value in EVERYTHING:
        return Mute(Action(value))
    if kind == "p" and number is not None:
        return ShowOrders(number or None)
    if kind in set(LinkChoice) and number is not None:
        return AnswerLink(number, LinkChoice(kind))
    return StaleButton()
