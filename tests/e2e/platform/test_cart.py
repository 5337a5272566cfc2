"""From a cart to a phone: fill it, check out, pay, and the message is there."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from cli.exits import ExitCode
from cli.notify import link_chats
from tests.waiting import eventually
from verification.latency import acceptances

if TYPE_CHECKING:
    from tests.e2e.platform.conftest import Observed

USER, CHAT = 8001, 88_001
DRESS, BOOK = 139275865, 1076963


async def test_a_cart_becomes_an_order_and_a_message_on_a_phone(observed: Observed) -> None:
    platform = observed.platform
    await link_chats(platform.stack, {USER: CHAT})
    user = ("--user", str(USER))

    for sku, count in ((DRESS, 2), (BOOK, 1), (DRESS, 1)):
        platform.onelane("cart", "add", str(sku), *user, "--count", str(count))
    shown = json.loads(platform.onelane("cart", "show", *user, "--output", "json"))
    table = platform.onelane("cart", "show", *user)
    placed = json.loads(platform.onelane("cart", "checkout", *user, "--key", "once", "--output", "json"))
    again = json.loads(platform.onelane("cart", "checkout", *user, "--key", "once", "--output", "json"))
    order_id = placed["order_id"]
    platform.onelane("orders", "pay", str(order_id))

    assert [(item["sku"], item["count"]) for item in shown["items"]] == [(BOOK, 1), (DRESS, 3)]
    assert shown["total_price"] == 3379 + 3 * 634
    assert "5,281 in all" in table
    assert again == placed
    order = json.loads(platform.onelane("orders", "get", str(order_id), "--output", "json"))
    assert (order["status"], order["user_id"]) == ("paid", USER)
    assert order["items"] == [{"sku": BOOK, "count": 1}, {"sku": DRESS, "count": 3}]

    async def is_on_the_phone() -> bool:
        assert platform.stack.telegram_url is not None
        seen = await acceptances(platform.stack.telegram_url)
        return any(order == str(order_id) and version == 3 for order, version in seen)

    await eventually(is_on_the_phone, within=20)


def test_what_the_cart_refuses_ends_with_4_and_its_reason(observed: Observed) -> None:
    user = ("--user", "8002")

    unknown = _ended(observed, "add", "42", *user)
    too_many = _ended(observed, "add", str(BOOK), *user, "--count", "100000")
    empty = _ended(observed, "checkout", *user)

    assert {each.returncode for each in (unknown, too_many, empty)} == {ExitCode.REFUSED}
    assert "error: there is no product with sku 42" in unknown.stderr
    assert f"error: of sku {BOOK} only" in too_many.stderr
    assert "error: the cart of user 8002 is empty" in empty.stderr


def test_what_is_taken_out_is_gone(observed: Observed) -> None:
    platform, user = observed.platform, ("--user", "8003")
    for sku in (DRESS, BOOK):
        platform.onelane("cart", "add", str(sku), *user)

    platform.onelane("cart", "remove", str(DRESS), *user)
    left = json.loads(platform.onelane("cart", "show", *user, "--output", "json"))
    platform.onelane("cart", "clear", *user)

    assert [item["sku"] for item in left["items"]] == [BOOK]
    assert _ended(observed, "show", *user).returncode == ExitCode.REFUSED


def _ended(observed: Observed, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the program under test
        [sys.executable, "-m", "cli.main", "cart", *arguments],
        env=dict(observed.platform.environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
