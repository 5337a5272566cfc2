"""The check names what the code relies on and does not find, each with its cure."""

import pytest

from outbox import TopicRule
from outbox.operations.check import check
from outbox.operations.check_topics import check_topics
from outbox.operations.findings import Finding, Severity
from tests.given import Database, MakeTopic, SharedKafka
from tests.outbox_given import WRITER_ROLE, Connection, connected
from tests.waiting import eventually


def _named(findings: list[Finding], subject: str) -> list[Finding]:
    return [finding for finding in findings if finding.subject == subject]


async def test_a_fresh_installation_has_nothing_wrong(connection: Connection) -> None:
    findings = await check(connection, writer_role=WRITER_ROLE)

    assert [finding for finding in findings if "synchronous_commit" not in finding.fact] == []


@pytest.mark.parametrize(
    ("damage", "subject", "fact"),
    [
        ("alter sequence outbox_seq cache 50", "sequence", "CACHE 50"),
        ("drop index outbox_xid", "index", "btree index over xid"),
        ("drop index outbox_key", "index", "btree index over key"),
        ("drop index outbox_seq_brin", "index", "brin index over seq"),
        ("alter table outbox alter occurred_at drop default", "column occurred_at", "default None"),
        ("alter table outbox drop column headers", "column headers", "missing"),
        ("alter table outbox_0 set unlogged", "partition outbox_0", "unlogged"),
        ("drop table outbox_0", "partitions", "no finite partition"),
        ("do $$ begin for n in 3..16 loop execute format('drop table outbox_%s', n * 4194304); end loop; end $$",
         "partitions", "only 2 partitions ahead"),
        ("update outbox_cursor set state = 'needs_reset'", "cursor kafka", "needs a reset"),
        ("update outbox_cursor set state = 'paused'", "cursor kafka", "paused"),
        ("update outbox_cursor set system_id = '1'", "cursor kafka", "belongs to database system 1"),
        ("delete from outbox_cursor", "cursor kafka", "missing"),
        ("alter table outbox alter seq drop default; drop sequence outbox_seq cascade", "sequence", "no sequence"),
        ("drop table outbox_near_71303168", "partitions", "an overflow piece is missing"),
        (f"revoke insert on outbox from {WRITER_ROLE}", f"role {WRITER_ROLE}", "may not insert"),
        ("drop table outbox_void", "table outbox_void", "missing"),
        ("drop table outbox_audit", "table outbox_audit", "missing"),
        ("drop table outbox_cursor", "table outbox_cursor", "missing"),
        (f"grant truncate on outbox to {WRITER_ROLE}", f"role {WRITER_ROLE}", "may update, delete or truncate"),
        (f"set role {WRITER_ROLE}", "table", "its owner is another role"),
        (f"revoke usage on sequence outbox_seq from {WRITER_ROLE}", f"role {WRITER_ROLE}", "may not use the sequence"),
    ],
)  # fmt: skip
async def test_each_damage_is_found_and_has_a_cure(
    connection: Connection, damage: str, subject: str, fact: str
) -> None:
    await connection.execute(damage)

    found = _named(await check(connection, writer_role=WRITER_ROLE), subject)

    assert any(fact in finding.fact and finding.cure for finding in found), found


@pytest.mark.parametrize("written", ["local", "off", "'false'", "'0'", "'no'", "'OFF'"])
async def test_a_writer_whose_commits_do_not_wait_is_warned_of(outbox_database: Database, written: str) -> None:
    async with connected(outbox_database.dsn) as connection:
        await connection.execute(
            f'alter role {WRITER_ROLE} in database "{outbox_database.name}" set synchronous_commit = {written}'
        )

        [finding] = _named(await check(connection), f"role {WRITER_ROLE}")

    assert finding.severity is Severity.WARNING
    assert "synchronous_commit = " + written.strip("'") in finding.fact
    assert finding.cure == f"alter role {WRITER_ROLE} in database {outbox_database.name} reset synchronous_commit"


async def test_an_owner_who_does_not_see_others_transactions_is_told(connection: Connection) -> None:
    await connection.execute(f"set role {WRITER_ROLE}")

    found = _named(await check(connection), f"role {WRITER_ROLE}")

    assert found[0].cure == f"grant pg_read_all_stats to {WRITER_ROLE}"


async def test_a_role_that_does_not_exist_is_named(connection: Connection) -> None:
    assert _named(await check(connection, writer_role="nobody_at_all"), "role nobody_at_all") != []


async def test_no_table_is_one_finding(database: Database) -> None:
    async with connected(database.dsn) as connection:
        [finding] = await check(connection)

    assert finding.subject == "table"
    assert "install_sql" in finding.cure


async def test_topics_are_held_against_their_rules(kafka: SharedKafka, topic: MakeTopic) -> None:
    good = await topic("good")
    small = await topic("small", max_message_bytes="5000")
    compacted = await topic("compacted", cleanup_policy="compact")
    rules = [TopicRule(name, versioned=True, max_bytes=10_000) for name in (good, small, compacted, "unheard-of")]

    wrong = {
        f"topic {small}": "max.message.bytes is 5000, append lets 10000 pass",
        f"topic {compacted}": "cleanup.policy is compact",
        "topic unheard-of": "the broker does not have it",
    }

    async def found() -> bool:
        findings = await check_topics(kafka.bootstrap, rules)
        return {finding.subject: finding.fact.split(":")[0] for finding in findings} == wrong

    await eventually(found)
