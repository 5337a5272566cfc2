"""The commands a bot announced, by language: what a phone offers when its menu is opened."""

from typing import Any

from stack.telegram.journal import Entry

Commands = list[dict[str, Any]]


class Menu:
    """Built by applying lines of the log. A language without commands of its own gets those for everybody."""

    def __init__(self) -> None:
        self._commands: dict[str, Commands] = {}

    def apply(self, entry: Entry) -> None:
        """Remember what the bot announced, or forget it."""
        match entry["method"]:
            case "setMyCommands":
                self._commands[entry["language_code"]] = entry["commands"]
            case "deleteMyCommands":
                self._commands.pop(entry["language_code"], None)

    def of(self, language: str) -> Commands:
        """Give the commands for a language ("": for everybody), none if none were announced."""
        return self._commands.get(language) or self._commands.get("", [])
