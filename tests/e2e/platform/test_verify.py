"""`onelane verify` on the real platform: clean after traffic, exit 3 with an effect nobody caused."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg

from cli.exits import ExitCode
from stack import client
from tests.audit_trigger import install_audit_trigger, remove_audit_trigger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.platform.conftest import Observed
    from tests.platform import Platform


NOBODYS_ORDER = 4_200_000_000


async def test_traffic_leaves_nothing_lost_doubled_or_out_of_order(observed: Observed) -> None:
    said(observed.platform, "demo", "orders", "--count", "30", "--rate", "30")

    code, report = verified(observed.platform)

    assert code == ExitCode.OK
    rows = {name: (tally["rows"], tally["matched"]) for name, tally in report["witnesses"].items()}
    committed = rows["outbox"][0]
    assert committed >= 60
    assert rows["kafka"] == rows["notification"] == (committed, committed)
    assert rows["telegram"][0] == rows["telegram"][1] > 0


async def test_with_the_audit_trigger_every_change_has_its_row_in_its_own_transaction(observed: Observed) -> None:
    owner = client.running(observed.platform.environment).access.dsn("loms_owner", "loms")
    await install_audit_trigger(owner)
    said(observed.platform, "demo", "orders", "--count", "30", "--rate", "30")

    code, report = verified(observed.platform)

    await remove_audit_trigger(owner)
    assert code == ExitCode.OK
    assert report["lacking"] == []
    assert report["witnesses"]["outbox"]["matched"] == report["witnesses"]["outbox"]["rows"] >= 60


async def test_an_effect_nobody_caused_is_named_with_what_to_run_next(observed: Observed) -> None:
    async with planted_effect(observed.platform):
        table = said(observed.platform, "verify", "--since", "30m", "--settle", "0", code=ExitCode.CHECK_FAILED)
        code, report = verified(observed.platform)

    assert code == ExitCode.CHECK_FAILED
    assert [(finding["invariant"], finding["order_id"]) for finding in report["findings"]] == [("I-14", NOBODYS_ORDER)]
    assert f"I-14 effect without an event: order {NOBODYS_ORDER} version 1" in table
    assert f"onelane orders timeline {NOBODYS_ORDER}" in table
    assert "FAILED: 1 effect without an event" in table


def verified(platform: Platform) -> tuple[int, dict[str, Any]]:
    """The exit code and the report."""
    ended = run(platform, "verify", "--since", "30m", "--output", "json")
    return ended.returncode, json.loads(ended.stdout)


def said(platform: Platform, *arguments: str, code: int = ExitCode.OK) -> str:
    """What a command prints that ends with this code."""
    ended = run(platform, *arguments)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout


def run(platform: Platform, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli.main", *arguments]
    environment = dict(platform.environment)
    return subprocess.run(  # noqa: S603 - the program under test
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@asynccontextmanager
async def planted_effect(platform: Platform) -> AsyncIterator[None]:
    """A row of the ledger about an event that never was; gone at the end of the block."""
    owner = client.running(platform.environment).access.dsn("notification_owner", "notification")
    connection = await asyncpg.connect(owner)
    try:
        await connection.execute(
            "insert into notifications (order_id, version, user_id, chat_id, status, audible, moment, event_id, state, "
            "card_step, alert_step, finished_at) values ($1, 1, 7, 7, 'new', false, now(), $2, 'superseded', "
            "'skipped', 'none', now())",
            NOBODYS_ORDER,
            uuid4(),
        )
        yield
        await connection.execute("delete from notifications where order_id = $1", NOBODYS_ORDER)
    finally:
        await connection.close()
