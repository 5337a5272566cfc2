"""How fast the Bot API may be called."""

from datetime import timedelta

_NOW = timedelta(0)


class Unlimited:
    """No limit of our own: Telegram's answers alone slow us down, chat by chat."""

    async def wait_for(self, chat_id: int) -> timedelta:  # noqa: ARG002 - the port's signature; every chat is treated alike
        """Return zero: call at once."""
        return _NOW
