"""What Telegram accepted against the ledger: what is called delivered was accepted, once, and never back in version.

A notification has two halves, the order's card (sent once, then edited) and for some changes an alert. Repeating an
edit changes nothing and is no second send.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from verification.case import Case, descents
from verification.facts import Call, Ending
from verification.report import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verification.facts import Accepted, Noted

_HALVES: Final = {Call.SEND_CARD: "card", Call.SEND_ALERT: "alert"}
_TOLD: Final = frozenset({Ending.DONE, Ending.UNCERTAIN})
_NOT_SENT: Final = frozenset({Ending.NONE, Ending.SKIPPED, Ending.FAILED})


def judge(case: Case) -> None:
    """Decide I-18 and I-19 for the effects the ledger's verdict left in the case."""
    calls = sorted(case.story.accepted, key=lambda call: call.seq)
    for noted in case.effects:
        _delivery(case, noted, calls)
    _sends(case, calls)
    _sequence(case, calls)


def _delivery(case: Case, noted: Noted, calls: Sequence[Accepted]) -> None:
    """Hold the halves the ledger calls done, or uncertain, against what was accepted.

    A card counts as shown when this version or a newer one was accepted: it is never turned back.
    """
    card_told, alert_told = noted.card in _TOLD, noted.alert in _TOLD
    if not card_told and not alert_told:
        return
    tally = case.tallies.telegram
    tally.rows += 1
    unseen = []
    if card_told and not any(call.call != Call.SEND_ALERT and call.version >= noted.version for call in calls):
        unseen.append(("card", noted.card))
    if alert_told and not any(call.call == Call.SEND_ALERT and call.version == noted.version for call in calls):
        unseen.append(("alert", noted.alert))
    if unseen:
        _unseen(case, noted.version, unseen)
    else:
        tally.matched += 1


def _unseen(case: Case, version: int, unseen: Sequence[tuple[str, int]]) -> None:
    lost = [half for half, ending in unseen if ending == Ending.DONE]
    if lost:
        case.tallies.telegram.missing += 1
        text = f"the ledger calls the {' and the '.join(lost)} delivered; Telegram never accepted it"
        case.found(Kind.NEVER_ACCEPTED, "I-18", version, text)
        return
    text = f"the answer about the {unseen[0][0]} was lost, and Telegram never accepted it"
    case.found(Kind.UNCERTAIN, "I-18", version, text)


def _sends(case: Case, calls: Sequence[Accepted]) -> None:
    """Each version's card and alert is sent at most once, and only if the ledger knows of it."""
    ledger = {noted.version: noted for noted in case.story.noted}
    window = {noted.version for noted in case.effects}
    sends = Counter((call.version, call.call) for call in calls if call.call in _HALVES)
    for (version, number), count in sorted(sends.items()):
        noted, call = ledger.get(version), Call(number)
        allowed = 0 if noted is None else int(_ending(noted, call) not in _NOT_SENT)
        if count > allowed and (noted is None or version in window):
            _surplus(case, version, call, count=count, allowed=allowed)


def _surplus(case: Case, version: int, call: Call, *, count: int, allowed: int) -> None:
    case.tallies.telegram.rows += count - allowed
    case.tallies.telegram.extra += count - allowed
    if allowed:
        case.found(Kind.SENT_AGAIN, "I-18", version, f"the {_HALVES[call]} was accepted {count} times")
        return
    text = f"Telegram accepted a message, the {_HALVES[call]}, that the ledger does not know of"
    case.found(Kind.PHANTOM_SEND, "I-18", version, text)


def _ending(noted: Noted, call: Call) -> int:
    return noted.card if call is Call.SEND_CARD else noted.alert


def _sequence(case: Case, calls: Sequence[Accepted]) -> None:
    cards = [call for call in calls if call.call != Call.SEND_ALERT]
    alerts = [call for call in calls if call.call == Call.SEND_ALERT]
    for half in (cards, alerts):
        for call, before in descents(half, lambda call: call.version):
            case.tallies.telegram.out_of_order += 1
            text = f"accepted (line {call.seq}) after version {before.version} (line {before.seq})"
            case.found(Kind.SENDS_ORDER, "I-19", call.version, text)
