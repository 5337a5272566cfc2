"""The page of phones in a real browser: two people, two languages, commands typed and buttons tapped."""

import asyncio
from pathlib import Path

import pytest

from tests.bot_fixtures import a_person, an_invitation, bot
from tests.browser import Page, browser, program
from tests.notification_fixtures import Town, paid, placed
from tests.waiting import eventually

pytestmark = pytest.mark.skipif(program() is None, reason="no Chromium on this machine")

ARTEFACTS = Path(__file__).resolve().parents[3] / "artefacts"
"""Pictures for people to look at; git looks past it."""


class Hand:
    """A person's hand on the page."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def opens(self, url: str) -> None:
        await asyncio.to_thread(self._page.open, url)

    async def types(self, chat: int, text: str) -> None:
        form = f"document.querySelector('section[data-chat=\"{chat}\"] form')"
        await self._does(f"{form}.querySelector('input').value = {text!r}; {form}.requestSubmit()")

    async def taps(self, chat: int, label: str) -> None:
        phone = f"document.querySelector('section[data-chat=\"{chat}\"]')"
        await self._does(f"[...{phone}.querySelectorAll('button')].findLast(b => b.textContent === {label!r}).click()")

    async def sees(self, chat: int, text: str) -> None:
        phone = f"document.querySelector('section[data-chat=\"{chat}\"]')"

        async def shown() -> bool:
            seen = await asyncio.to_thread(self._page.run, f"{phone}?.innerText ?? ''")
            assert text in str(seen)
            return True

        await eventually(shown, within=20, every=0.2)

    async def photographs(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        await asyncio.to_thread(self._page.picture, path)
        print(f"picture: {path}")

    async def _does(self, script: str) -> None:
        await asyncio.to_thread(self._page.run, f"(() => {{ {script} }})()")


@pytest.mark.faults
async def test_two_people_link_read_mute_and_are_told_in_their_languages(town: Town, tmp_path: Path) -> None:
    anna, boris = a_person(town), a_person(town)
    tokens = [await an_invitation(town, 1207), await an_invitation(town, 1211)]

    with browser(tmp_path / "profile") as page:
        hand = Hand(page)
        async with bot(town):
            await hand.opens(f"{town.telegram.url}/?chat={anna.chat}&chat={boris.chat}")
            await hand.sees(anna.chat, f"chat {anna.chat}")
            await hand.taps(boris.chat, "EN")
            await hand.types(anna.chat, f"/start {tokens[0]}")
            await hand.types(boris.chat, f"/start {tokens[1]}")
            await hand.sees(anna.chat, "Shall this chat be told about the orders of account •••07?")
            await hand.sees(boris.chat, "Рассказывать в этом чате о заказах аккаунта •••11?")
            await hand.taps(anna.chat, "✅ Yes, tell me")
            await hand.taps(boris.chat, "✅ Да, рассказывать")
            await hand.sees(anna.chat, "✅ Done: this chat is told")
            await hand.sees(boris.chat, "✅ Готово: этот чат узнаёт")
            await town.plan(*placed(42, user_id=1207), *placed(43, user_id=1211))
            await town.deliver()
            await hand.sees(boris.chat, "🧾 Заказ 43 · 3 товара")
            await hand.taps(boris.chat, "🔕 Без звука ▾")
            await hand.sees(boris.chat, "Этот заказ")
            await hand.taps(anna.chat, "Details")
            await hand.sees(anna.chat, "Waiting for payment")
            await hand.photographs(ARTEFACTS / "phones-menu.png")
            await hand.taps(boris.chat, "Этот заказ")
            await hand.sees(boris.chat, "🔕 Заказ 43 — без звука.")
            await town.plan(paid(42, user_id=1207), paid(43, user_id=1211))
            await town.deliver()
            await hand.sees(anna.chat, "✅ Order 42 is paid.")
            await hand.types(boris.chat, "/orders")
            await hand.sees(boris.chat, "Ваши заказы")
            await hand.photographs(ARTEFACTS / "phones-paid.png")

    assert rings(town, anna.chat)
    assert not rings(town, boris.chat), "what must be heard is still sent, silently"
    assert (ARTEFACTS / "phones-paid.png").stat().st_size > 10_000


def rings(town: Town, chat: int) -> bool:
    """Say whether the alert of the paid order makes a sound on that phone."""
    sent = [line["payload"] for line in town.telegram.accepted(chat) if line["method"] == "sendMessage"]
    [alert] = [payload for payload in sent if ":3:" in str(payload.get("reply_markup"))]
    return str(alert.get("disable_notification")).lower() != "true"
