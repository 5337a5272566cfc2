"""What a chat's people decide for themselves: whether, how loudly and in which language they are told."""

from dataclasses import replace

from services.notification.domain.message import Button
from services.notification.domain.reply import Reply
from services.notification.domain.request import Action, Mute, Speak
from services.notification.domain.texts import GRAMMARS, Catalogue, Catalogues, Phrase
from services.notification.service.caller import Caller, escaped
from services.notification.service.desk import Desk, Links
from services.notification.service.order_talk import choose_silence, say_silence

COMMANDS = {
    "orders": Phrase.COMMAND_ORDERS,
    "order": Phrase.COMMAND_ORDER,
    "mute": Phrase.COMMAND_MUTE,
    "language": Phrase.COMMAND_LANGUAGE,
    "why": Phrase.COMMAND_WHY,
    "stop": Phrase.COMMAND_STOP,
    "start": Phrase.COMMAND_START,
    "help": Phrase.COMMAND_HELP,
}
"""Every command, with the phrase that explains it, in the order they are shown."""

_MUTE_CHOICES = (
    (Phrase.BUTTON_MUTE_HOUR, Action.MUTE_HOUR),
    (Phrase.BUTTON_MUTE_WORKDAY, Action.MUTE_WORKDAY),
    (Phrase.BUTTON_MUTE_ALL, Action.MUTE_ALL),
    (Phrase.BUTTON_UNMUTE, Action.UNMUTE),
)


class Preferences:
    """The use cases of `/start`, `/stop`, `/mute`, `/language`, `/why` and `/help`."""

    def __init__(self, *, catalogues: Catalogues) -> None:
        self._catalogues = catalogues

    async def start(self, links: Links, caller: Caller) -> Reply:
        """Begin, or begin again after a stop."""
        if not caller.accounts:
            return caller.says(Phrase.HELLO)
        stopped = not any(account.active for account in caller.accounts)
        await links.activate(caller.chat_id, active=True)
        return caller.says(Phrase.WELCOME_BACK if stopped else Phrase.ALREADY_LINKED, account=caller.account)

    async def stop(self, links: Links, caller: Caller) -> Reply:
        """Tell nothing in this chat until it starts again."""
        await links.activate(caller.chat_id, active=False)
        return caller.says(Phrase.STOPPED)

    async def ask_mute(self, desk: Desk, caller: Caller) -> Reply:
        """Say what is silent, and offer to change it."""
        text = f"{caller.words.say(Phrase.MUTE_ASK)}\n{await say_silence(desk, caller)}"
        return caller.writes(escaped(text), *_mute_buttons(caller), per_row=2)

    async def mute(self, desk: Desk, caller: Caller, mute: Mute) -> Reply:
        """Change what is silent."""
        said = await choose_silence(desk, caller, mute.action)
        return caller.writes(escaped(said), *_mute_buttons(caller), per_row=2)

    def ask_language(self, caller: Caller) -> Reply:
        """Offer the languages we speak, each by its own name."""
        names = {language: self._catalogues.of(language).say(Phrase.LANGUAGE_NAME) for language in GRAMMARS}
        buttons = [caller.labelled(name, Speak(language)) for language, name in names.items()]
        return caller.says(Phrase.LANGUAGE_ASK, *buttons)

    async def speak(self, links: Links, caller: Caller, speak: Speak) -> Reply:
        """Use a language from now on."""
        words = self._catalogues.of(speak.language)
        await links.speak(caller.chat_id, words.language)
        return replace(caller, words=words).says(Phrase.LANGUAGE_SET)

    async def why(self, desk: Desk, caller: Caller) -> Reply:
        """Say why this chat is told, and whether anything holds it back."""
        words, newest = caller.words, caller.accounts[0]
        since = words.say(Phrase.MOMENT, at=newest.linked_at)
        lines = [words.say(Phrase.WHY, account=caller.account, since=since)]
        if not newest.active:
            lines.append(words.say(Phrase.WHY_STOPPED))
        lines.append(await say_silence(desk, caller))
        return caller.writes(escaped("\n".join(lines)))

    def help(self, caller: Caller, heading: Phrase = Phrase.HELP_TITLE) -> Reply:
        """List the commands."""
        lines = [f"/{command} – {explained}" for command, explained in command_menu(caller.words).items()]
        return caller.writes(escaped("\n".join([caller.words.say(heading), "", *lines])))


def command_menu(words: Catalogue) -> dict[str, str]:
    """Return every command with its explanation, for the menu of phones."""
    return {command: words.say(phrase) for command, phrase in COMMANDS.items()}


def _mute_buttons(caller: Caller) -> tuple[Button, ...]:
    return tuple(caller.button(phrase, Mute(action)) for phrase, action in _MUTE_CHOICES)
