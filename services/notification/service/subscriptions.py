"""Linking people to chats."""

from services.notification.domain.lane import Subscriber
from services.notification.domain.texts import ENGLISH
from services.notification.service.ports import SubscriberStore


class LinkedElsewhere(Exception):
    """The user is linked to another chat, and nobody asked to move the link."""

    def __init__(self, user_id: int) -> None:
        super().__init__(f"user {user_id} is linked to another chat: a link moves only when asked to")
        self.user_id = user_id


class Subscriptions:
    """Use cases about links."""

    def __init__(self, *, subscribers: SubscriberStore) -> None:
        self._subscribers = subscribers

    async def link(self, user_id: int, chat_id: int, *, move: bool = False, language: str | None = None) -> Subscriber:
        """Tell this user in this chat from now on, also about what is planned and not yet called.

        Linking the same chat again revives the link, and leaves its language unless one is given. Raises
        LinkedElsewhere unless `move` is set.
        """
        present = await self._subscribers.find(user_id)
        if present is not None and present.chat_id != chat_id and not move:
            raise LinkedElsewhere(user_id)
        spoken = language or (present.language if present else ENGLISH)
        subscriber = Subscriber(user_id=user_id, chat_id=chat_id, language=spoken)
        await self._subscribers.put(subscriber)
        return subscriber
