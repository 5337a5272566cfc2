"""Phrases with holes, by language, and how each language counts. Pure: the words themselves are in `texts/*.toml`.

Invariant: a phrase has every form its language needs, so that whoever speaks never looks for a missing one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """The plural categories of the Unicode CLDR that whole numbers need in the languages we speak."""

    ONE = "one"
    FEW = "few"
    MANY = "many"
    OTHER = "other"


class Phrase(StrEnum):
    """Everything the service can say."""

    ORDER = "order"
    ITEMS = "items"
    PLACED = "placed"
    PAID = "paid"
    ASSEMBLED = "assembled"
    OUT_OF_STOCK = "out_of_stock"
    CANCELLED = "cancelled"
    ALERT_PAID = "alert_paid"
    ALERT_FAILED = "alert_failed"
    ALERT_CANCELLED = "alert_cancelled"
    BUTTON_DETAILS = "button_details"
    BUTTON_MUTE = "button_mute"
    BUTTON_CANCEL = "button_cancel"
    HELLO = "hello"
    NOT_LINKED = "not_linked"
    WELCOME_BACK = "welcome_back"
    ALREADY_LINKED = "already_linked"
    LINK_ONLY_IN_PRIVATE = "link_only_in_private"
    LINK_INVALID = "link_invalid"
    LINK_OFFER = "link_offer"
    LINK_OFFER_TO_CHAT_IN_USE = "link_offer_to_chat_in_use"
    LINK_OFFER_OF_ACCOUNT_ELSEWHERE = "link_offer_of_account_elsewhere"
    LINK_OFFER_OF_BOTH = "link_offer_of_both"
    LINK_DONE = "link_done"
    LINK_DECLINED = "link_declined"
    BUTTON_LINK = "button_link"
    BUTTON_MOVE = "button_move"
    BUTTON_DECLINE = "button_decline"
    ORDERS_TITLE = "orders_title"
    ORDERS_NONE = "orders_none"
    ORDER_WHICH = "order_which"
    ORDER_UNKNOWN = "order_unknown"
    MOMENT = "moment"
    TIMES_ARE_UTC = "times_are_utc"
    STATUS_NEW = "status_new"
    STATUS_AWAITING_PAYMENT = "status_awaiting_payment"
    BUTTON_OLDER = "button_older"
    MUTE_ASK = "mute_ask"
    MUTED_ORDER = "muted_order"
    MUTED_UNTIL = "muted_until"
    MUTED_FOR_GOOD = "muted_for_good"
    UNMUTED = "unmuted"
    BUTTON_MUTE_ORDER = "button_mute_order"
    BUTTON_MUTE_HOUR = "button_mute_hour"
    BUTTON_MUTE_WORKDAY = "button_mute_workday"
    BUTTON_MUTE_ALL = "button_mute_all"
    BUTTON_UNMUTE = "button_unmute"
    BUTTON_BACK = "button_back"
    CANCEL_ASK = "cancel_ask"
    CANCEL_DONE = "cancel_done"
    CANCEL_TOO_LATE = "cancel_too_late"
    ORDERS_AWAY = "orders_away"
    BUTTON_CANCEL_YES = "button_cancel_yes"
    BUTTON_CANCEL_NO = "button_cancel_no"
    LANGUAGE_NAME = "language_name"
    LANGUAGE_ASK = "language_ask"
    LANGUAGE_SET = "language_set"
    WHY = "why"
    WHY_STOPPED = "why_stopped"
    STOPPED = "stopped"
    UNKNOWN = "unknown"
    HELP_TITLE = "help_title"
    STALE_BUTTON = "stale_button"
    COMMAND_START = "command_start"
    COMMAND_ORDERS = "command_orders"
    COMMAND_ORDER = "command_order"
    COMMAND_MUTE = "command_mute"
    COMMAND_LANGUAGE = "command_language"
    COMMAND_WHY = "command_why"
    COMMAND_STOP = "command_stop"
    COMMAND_HELP = "command_help"


COUNTED = frozenset({Phrase.ITEMS})
"""The phrases that are said of a number of things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grammar:
    """How a language counts: its plural forms, the rule that chooses one, what stands between thousands."""

    forms: frozenset[Form]
    form_of: Callable[[int], Form]
    thousands: str


def _english(count: int) -> Form:
    return Form.ONE if count == 1 else Form.OTHER


def _russian(count: int) -> Form:
    """Say 1, 21, 101 товар; 2, 23, 104 товара; 0, 5, 11, 112 товаров."""
    tens, units = count % 100, count % 10
    if units == 1 and tens != 11:  # noqa: PLR2004 - the rule as the CLDR writes it
        return Form.ONE
    if units in {2, 3, 4} and tens not in {12, 13, 14}:
        return Form.FEW
    return Form.MANY


GRAMMARS: Mapping[str, Grammar] = {
    "en": Grammar(forms=frozenset({Form.ONE, Form.OTHER}), form_of=_english, thousands=","),
    "ru": Grammar(forms=frozenset({Form.ONE, Form.FEW, Form.MANY}), form_of=_russian, thousands="\N{NO-BREAK SPACE}"),
}
"""The languages we speak. One more is an entry here and a file of words."""

ENGLISH = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The words of one language. What is not counted is kept under `Form.OTHER`."""

    language: str
    grammar: Grammar
    phrases: Mapping[Phrase, Mapping[Form, str]]

    def say(self, phrase: Phrase, /, **values: object) -> str:
        """Fill the holes of a phrase. The text is plain: escape it before it becomes HTML."""
        return self.phrases[phrase][Form.OTHER].format(**values)

    def count(self, phrase: Phrase, count: int, /, **values: object) -> str:
        """Say the phrase of so many things, in the form the number asks for."""
        template = self.phrases[phrase][self.grammar.form_of(count)]
        return template.format(count=f"{count:,}".replace(",", self.grammar.thousands), **values)


class Catalogues:
    """All languages we speak; whoever speaks another is answered in English."""

    def __init__(self, catalogues: Mapping[str, Catalogue]) -> None:
        self._catalogues = catalogues

    def of(self, language: str) -> Catalogue:
        """Return the catalogue of a language, given as `ru` or, as phones say it, `ru-RU`."""
        return self._catalogues.get(language.partition("-")[0].lower(), self._catalogues[ENGLISH])
