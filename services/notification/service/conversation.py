"""One answer to each request. What needs a link is told to linked chats only: a stranger learns how to link, no more.

The answer is made inside the transaction that marks its update as handled, and kept there until it is made: an update
that arrives twice changes nothing the second time, and a process that dies loses no answer.
"""

from services.notification.domain.reply import Addressed, Reply
from services.notification.domain.request import (
    Action,
    AnswerLink,
    Asked,
    AskLanguage,
    AskMute,
    Help,
    Mute,
    ShowOrder,
    ShowOrders,
    Speak,
    StaleButton,
    Start,
    Stop,
    Tap,
    Unknown,
    WentAway,
    Why,
)
from services.notification.domain.seal import Seal
from services.notification.domain.texts import Catalogues, Phrase
from services.notification.service.caller import Caller
from services.notification.service.desk import Cancellation, Desk, Orders, Updates
from services.notification.service.linking import Linking
from services.notification.service.order_talk import OrderTalk
from services.notification.service.preferences import Preferences


class Conversation:
    """Use cases of the bot."""

    def __init__(self, *, updates: Updates, orders: Orders, catalogues: Catalogues, seal: Seal) -> None:
        self._updates = updates
        self._orders = orders
        self._catalogues = catalogues
        self._seal = seal
        self._linking = Linking()
        self._order_talk = OrderTalk()
        self._preferences = Preferences(catalogues=catalogues)

    async def hear(self, asked: Asked, epoch: int) -> Addressed | None:
        """Handle one update, once; return the reply to be made, if any. Raises AnsweredBefore, TermOver, LedgerAway."""
        cancelled = await self._cancel_if_asked(asked)
        async with self._updates.turn(asked.update_id, epoch) as turn:
            reply = await self._reply(turn.desk, asked, cancelled)
            if reply.deed is None and asked.query_id is None:
                return None
            addressed = Addressed(
                update_id=asked.update_id, chat_id=asked.chat_id, query_id=asked.query_id, reply=reply
            )
            await turn.keep(addressed)
        return addressed

    async def _cancel_if_asked(self, asked: Asked) -> Cancellation | None:
        """Ask the owner of orders before the transaction opens: it may take seconds, and repeating it is harmless."""
        if not isinstance(asked.request, Tap) or asked.request.action is not Action.CANCEL:
            return None
        async with self._updates.look() as desk:
            caller = await self._caller(desk, asked)
            mine = caller.user_ids and await desk.orders.story(caller.user_ids, asked.request.order_id)
        return await self._orders.cancel(asked.request.order_id) if mine else None

    async def _caller(self, desk: Desk, asked: Asked) -> Caller:
        accounts = await desk.links.in_chat(asked.chat_id)
        language = accounts[0].language if accounts else asked.language
        return Caller(
            chat_id=asked.chat_id,
            private=asked.private,
            words=self._catalogues.of(language),
            accounts=accounts,
            seal=self._seal,
            message_id=asked.message_id,
        )

    async def _reply(self, desk: Desk, asked: Asked, cancelled: Cancellation | None) -> Reply:  # noqa: PLR0911 - one table
        caller = await self._caller(desk, asked)
        match asked.request:
            case WentAway():
                await desk.links.activate(caller.chat_id, active=False)
                return Reply()
            case StaleButton():
                return caller.notes(Phrase.STALE_BUTTON, stays=True)
            case Start(None):
                return await self._preferences.start(desk.links, caller)
            case Start(str() as token):
                return await self._linking.open(desk.links, caller, token)
            case AnswerLink() as answer:
                return await self._linking.answer(desk.links, caller, answer)
            case Help():
                return self._preferences.help(caller)
            case Unknown():
                return self._preferences.help(caller, Phrase.UNKNOWN) if caller.private else Reply()
            case _ if not caller.accounts:
                return caller.notes(Phrase.NOT_LINKED, stays=True) if asked.query_id else caller.says(Phrase.NOT_LINKED)
            case _:
                return await self._reply_to_linked(desk, caller, asked, cancelled)

    async def _reply_to_linked(  # noqa: PLR0911 - one table
        self, desk: Desk, caller: Caller, asked: Asked, cancelled: Cancellation | None
    ) -> Reply:
        match asked.request:
            case ShowOrders(before):
                return await self._order_talk.show_many(desk.orders, caller, before)
            case ShowOrder(order_id):
                return await self._order_talk.show_one(desk.orders, caller, order_id)
            case Tap() as tap:
                return await self._order_talk.tapped(desk, caller, tap, cancelled)
            case AskMute():
                return await self._preferences.ask_mute(desk, caller)
            case Mute() as mute:
                return await self._preferences.mute(desk, caller, mute)
            case AskLanguage():
                return self._preferences.ask_language(caller)
            case Speak() as speak:
                return await self._preferences.speak(desk.links, caller, speak)
            case Why():
                return await self._preferences.why(desk, caller)
            case Stop():
                return await self._preferences.stop(desk.links, caller)
            case _:
                return self._preferences.help(caller, Phrase.UNKNOWN)
