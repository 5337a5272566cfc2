"""Linking an account to a chat: an offer, shown to the first chat that opens it, and a choice, made once.

Invariants: nothing is bound without a choice in the very chat that opened the offer; a link that stands, of the chat or
of the account, is given up only by the word "move"; an offer is used once, within its life; a refusal tells nothing.
"""

from services.notification.domain.lane import Subscriber
from services.notification.domain.link import Link, fingerprint, masked
from services.notification.domain.reply import Notice, Reply
from services.notification.domain.request import AnswerLink, LinkChoice
from services.notification.domain.texts import Phrase
from services.notification.service.caller import Caller
from services.notification.service.desk import Links

_OFFERS = {
    (False, False): Phrase.LINK_OFFER,
    (True, False): Phrase.LINK_OFFER_TO_CHAT_IN_USE,
    (False, True): Phrase.LINK_OFFER_OF_ACCOUNT_ELSEWHERE,
    (True, True): Phrase.LINK_OFFER_OF_BOTH,
}
"""What is asked, by: is somebody else told in this chat, is this account told in another."""


class Linking:
    """The use cases of `/start <token>` and of the buttons under the offer."""

    async def open(self, links: Links, caller: Caller, token: str) -> Reply:
        """Show what the token offers, and ask."""
        if not caller.private:
            return caller.says(Phrase.LINK_ONLY_IN_PRIVATE)
        link = await links.open(fingerprint(token), caller.chat_id)
        if link is None:
            return caller.says(Phrase.LINK_INVALID)
        return await self._offer(links, caller, link)

    async def answer(self, links: Links, caller: Caller, answer: AnswerLink) -> Reply:
        """Do what was chosen. A second tap is told what the first one did."""
        link = await links.offered(answer.link_id, caller.chat_id)
        if link is None:
            return await self._answered_before(links, caller, answer)
        if answer.choice is LinkChoice.DECLINE:
            await links.use_up(link.link_id)
            return caller.says(Phrase.LINK_DECLINED)
        if answer.choice is LinkChoice.LINK and any(await self._in_the_way(links, caller, link)):
            return await self._offer(links, caller, link)
        await self._bind(links, caller, link)
        return self._done(caller, link)

    async def _offer(self, links: Links, caller: Caller, link: Link) -> Reply:
        in_the_way = await self._in_the_way(links, caller, link)
        yes = (Phrase.BUTTON_MOVE, LinkChoice.MOVE) if any(in_the_way) else (Phrase.BUTTON_LINK, LinkChoice.LINK)
        former = next((masked(each) for each in caller.user_ids if each != link.user_id), "")
        return caller.says(
            _OFFERS[in_the_way],
            caller.button(yes[0], AnswerLink(link.link_id, yes[1])),
            caller.button(Phrase.BUTTON_DECLINE, AnswerLink(link.link_id, LinkChoice.DECLINE)),
            account=masked(link.user_id),
            former=former,
        )

    async def _in_the_way(self, links: Links, caller: Caller, link: Link) -> tuple[bool, bool]:
        present = await links.of_user(link.user_id)
        elsewhere = present is not None and present.active and present.chat_id != caller.chat_id
        return any(user_id != link.user_id for user_id in caller.user_ids), elsewhere

    async def _bind(self, links: Links, caller: Caller, link: Link) -> None:
        await links.use_up(link.link_id)
        await links.forget_others(caller.chat_id, link.user_id)
        await links.put(
            Subscriber(user_id=link.user_id, chat_id=caller.chat_id, language=caller.words.language, active=True)
        )

    async def _answered_before(self, links: Links, caller: Caller, answer: AnswerLink) -> Reply:
        used = await links.used(answer.link_id, caller.chat_id)
        if used is None:
            return caller.says(Phrase.LINK_INVALID)
        if used.user_id in caller.user_ids:
            return self._done(caller, used)
        return Reply(notice=Notice(caller.words.say(Phrase.LINK_DECLINED)))

    def _done(self, caller: Caller, link: Link) -> Reply:
        return caller.says(Phrase.LINK_DONE, account=masked(link.user_id))
