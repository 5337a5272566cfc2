"""Who asks, and the pen answers are written with."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from services.notification.domain.lane import Subscriber
from services.notification.domain.link import masked
from services.notification.domain.message import Button, Message
from services.notification.domain.reply import EditMessage, Notice, Reply, SendMessage
from services.notification.domain.request import Pressed, data_of
from services.notification.domain.seal import Seal
from services.notification.domain.texts import Catalogue, Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A chat that asks: the accounts told in it, newest first, and the words its people read.

    `message_id` is the message under which a button was pressed.
    """

    chat_id: int
    private: bool
    words: Catalogue
    accounts: Sequence[Subscriber]
    seal: Seal
    message_id: int | None = None

    @property
    def user_ids(self) -> Sequence[int]:
        """Whose orders this chat may hear of."""
        return [account.user_id for account in self.accounts]

    @property
    def account(self) -> str:
        """The account told here, masked."""
        return masked(self.accounts[0].user_id)

    def button(self, phrase: Phrase, request: Pressed) -> Button:
        """Make a button that works in this chat only."""
        return self.labelled(self.words.say(phrase), request)

    def labelled(self, label: str, request: Pressed) -> Button:
        """Make a button with a label of its own."""
        return Button(label, self.seal.seal(self.chat_id, data_of(request)))

    def says(self, phrase: Phrase, *buttons: Button, per_row: int = 3, **values: object) -> Reply:
        """Answer with one phrase."""
        return self.writes(escaped(self.words.say(phrase, **values)), *buttons, per_row=per_row)

    def writes(self, html: str, *buttons: Button, per_row: int = 3) -> Reply:
        """Answer with a text: in place of the message a button was pressed under, otherwise as a new one."""
        message = Message(text=html, html=True, silent=True, buttons=buttons, per_row=per_row)
        if self.message_id is not None:
            return Reply(deed=EditMessage(self.message_id, message))
        return Reply(deed=SendMessage(message))

    def notes(self, phrase: Phrase, *, stays: bool = False, **values: object) -> Reply:
        """End a tap with a word and leave the chat as it is."""
        return Reply(notice=Notice(self.words.say(phrase, **values), stays=stays))


def escaped(text: str) -> str:
    """Make a text safe inside HTML."""
    return escape(text, quote=False)
