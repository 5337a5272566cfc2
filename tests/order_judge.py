"""Which invariants a database of LOMS breaks, told by the checker and by sums that trust no code of LOMS."""

from collections.abc import Mapping

from tests.loms_fixtures import Platform
from verification.case import Circumstances
from verification.incarnations import Incarnations
from verification.judging import Judging
from verification.reconcile import EVERYTHING
from verification.report import Findings, Tallies
from verification.spool import Spool
from verification.tail import Tail
from verification.verdicts.repeats import REACH_DEFAULT
from verification.witnesses.ledger import Decisions
from verification.witnesses.orders_database import OrdersDatabase

TOPIC = "loms.order-events"
JUDGED_HERE = {"I-05", "I-07", "I-08"}
"""What the checker says of orders, audit and outbox alone; nothing was published, and it says that too."""

STOCK_HELD = """
select stocks.sku, stocks.total, stocks.reserved,
  coalesce(sum(count) filter (where status = 'awaiting payment'), 0)::bigint as awaiting,
  coalesce(sum(count) filter (where status = 'paid'), 0)::bigint as paid
from stocks left join (order_items join orders using (order_id)) using (sku)
where stocks.sku = any ($1::bigint[])
group by stocks.sku
"""
CANCELLED_TWICE = "select order_id from audit.orders where status = 'cancelled' group by order_id having count(*) > 1"
CANCELLED_AFTER_PAID = """
select order_id from audit.orders
where was_status = 'paid' or (status = 'cancelled' and was_status <> 'awaiting payment')
"""


async def broken_promises(platform: Platform, seeded: Mapping[int, tuple[int, int]]) -> list[str]:
    """Judge I-04, I-05, I-07, I-08 and I-26 over everything the audit trigger saw; empty if all are kept.

    `seeded` is (total, reserved) of each sku at the beginning.
    """
    return [
        *await _stock(platform, seeded),
        *await _expiry(platform),
        *await _outbox(platform),
    ]


async def _stock(platform: Platform, seeded: Mapping[int, tuple[int, int]]) -> list[str]:
    broken = []
    for row in await platform.eye.fetch(STOCK_HELD, list(seeded)):
        total, reserved = seeded[row["sku"]]
        if (row["reserved"] - reserved, total - row["total"]) != (row["awaiting"], row["paid"]):
            broken.append(f"I-04 {dict(row)} began with {total} and {reserved} reserved")
    return broken


async def _expiry(platform: Platform) -> list[str]:
    twice = await platform.eye.fetch(CANCELLED_TWICE)
    late = await platform.eye.fetch(CANCELLED_AFTER_PAID)
    return [
        *(f"I-26 order {row['order_id']} was cancelled twice" for row in twice),
        *(f"I-26 order {row['order_id']} was cancelled out of turn" for row in late),
    ]


async def _outbox(platform: Platform) -> list[str]:
    findings, tallies = Findings(), Tallies()
    database = OrdersDatabase(dsn=platform.database.admin_dsn, topic=TOPIC)
    with Spool() as spool:
        async with database.snapshot() as snapshot:
            await snapshot.read_rows(EVERYTHING, spool, Tail(since=0), findings=findings, tallies=tallies)
            await snapshot.read_orders(EVERYTHING, spool)
            await snapshot.read_audit(EVERYTHING, spool, findings=findings)
            circumstances = _circumstances(await snapshot.audited_since())
        with Judging(circumstances, tallies=tallies, findings=findings) as judging:
            for stories in spool.stories():
                judging.judge(stories.values())
    return [f"{each.invariant} {each.text}" for each in findings.sorted() if each.invariant in JUDGED_HERE]


def _circumstances(audited_since: float | None) -> Circumstances:
    return Circumstances(
        partitions=2,
        positions={},
        committed={},
        decisions=Decisions(),
        senders=Incarnations(),
        repeats_reach=REACH_DEFAULT,
        operator_moved=None,
        audited_since=audited_since,
        judged_since=0,
        telegram_asked=False,
    )
