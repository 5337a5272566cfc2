"""What operators do about messages, on the command line: link, look, and tell again what may not have been told."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from cli.exits import ExitCode
from tests.stand_in import Phones
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.platform.conftest import Observed

USER, CHAT, OTHER_CHAT, SKU = 8101, 88_101, 88_102, 1625903


@pytest.fixture(scope="module")
def phones(observed: Observed) -> Iterator[Phones]:
    telegram_url = observed.platform.stack.telegram_url
    assert telegram_url is not None
    with closing(Phones(telegram_url)) as phones:
        yield phones


async def test_a_lost_message_is_listed_and_told_again_only_by_an_operator_with_a_reason(
    observed: Observed, phones: Phones
) -> None:
    bound = observed.platform.onelane("notify", "link", str(USER), "--chat", str(CHAT))
    phones.script(CHAT, {"answer": "close"}, {"answer": "close"})  # one for each version, should they not come together
    placed = observed.platform.onelane("orders", "place", "--user", str(USER), "--item", f"{SKU}:1", "--output", "json")
    order = str(json.loads(placed)["order_id"])
    await eventually(lambda: states(observed, order)[-1:] == ["uncertain"], within=20, every=0.2)
    phones.script(CHAT)

    listed = shown(observed, "uncertain")
    proposals = shown(observed, "resend", "--order", order)
    without_a_reason = ended(observed, "resend", "--order", order, "--execute")
    still = states(observed, order)
    done = observed.platform.onelane(
        "notify", "resend", "--order", order, "--execute", "--reason", "the phone was dark"
    )
    await eventually(lambda: states(observed, order)[-1:] == ["delivered"], within=20, every=0.2)

    assert bound == f"user {USER} is told in chat {CHAT}\n"
    assert (int(order), 2, "uncertain") in [(row["order_id"], row["version"], row["card_step"]) for row in listed]
    assert [row["version"] for row in proposals if row["resend"] == "send card"] == [2]
    assert without_a_reason.returncode == ExitCode.USAGE
    assert 'add --reason "…"' in without_a_reason.stderr
    assert still[-1] == "uncertain", "looking changes nothing"
    assert done.endswith(f"1 of {len(proposals)} are told again\n")
    assert f"Order {order}" in phones.screen(CHAT)[-1]["text"]


def test_a_link_is_listed_and_moves_only_when_asked_to(observed: Observed) -> None:
    user = USER + 1
    observed.platform.onelane("notify", "link", str(user), "--chat", str(CHAT))

    refused = ended(observed, "link", str(user), "--chat", str(OTHER_CHAT))
    observed.platform.onelane("notify", "link", str(user), "--chat", str(OTHER_CHAT), "--move")

    assert refused.returncode == ExitCode.REFUSED
    assert "add --move to move the link" in refused.stderr
    rows = [row for row in shown(observed, "subscribers") if row["user_id"] == user]
    assert [(row["chat_id"], row["active"]) for row in rows] == [(OTHER_CHAT, True)]
    assert f"{user}" in observed.platform.onelane("notify", "subscribers")


def states(observed: Observed, order: str) -> list[str]:
    """What became of each status change of an order, by version."""
    return [row["state"] for row in shown(observed, "attempts", order)]


def shown(observed: Observed, *arguments: str) -> list[dict[str, Any]]:
    """The rows a command shows."""
    rows: list[dict[str, Any]] = json.loads(observed.platform.onelane("notify", *arguments, "--output", "json"))
    return rows


def ended(observed: Observed, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that may be refused."""
    return subprocess.run(  # noqa: S603 - the program under test
        [sys.executable, "-m", "cli.main", "notify", *arguments],
        env=dict(observed.platform.environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
