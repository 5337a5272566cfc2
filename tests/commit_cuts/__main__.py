"""`python -m tests.commit_cuts [rounds]`: lose the commit of every write path, before and after it has arrived."""

import asyncio
import logging
import shutil
import sys

from stack.ports import free_port
from stack.servers import Postgres
from tests.commit_cut import Where
from tests.commit_cuts.rounds import PATHS, Path, play, wrongs
from tests.given import SharedPostgres
from tests.loms_fixtures import LomsDatabase, copy_of, loms_database_in, platform_over
from tests.shared_servers import servers_folder

ROUNDS = 50
SIDES: tuple[Where, ...] = ("before", "after")


async def main(rounds: int) -> int:
    """Play every path on a durable server of our own; returns the exit code."""
    logging.disable()  # what the driver says about connections that die here is no news
    folder = servers_folder()
    wrong = cuts = 0
    try:
        with Postgres(folder / "postgres", free_port(), dies_with_parent=True) as server:
            postgres = SharedPostgres(server.admin_dsn)
            async with loms_database_in(postgres) as template:
                for path in PATHS:
                    for where in SIDES:
                        found, lost = await _played(postgres, template, path, where, rounds)
                        wrong, cuts = wrong + found, cuts + lost
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"commit cuts: {cuts} commits lost on {rounds * len(PATHS) * len(SIDES)} calls, {wrong} wrong", flush=True)
    return 1 if wrong else 0


async def _played(
    postgres: SharedPostgres, template: LomsDatabase, path: Path, where: Where, rounds: int
) -> tuple[int, int]:
    async with copy_of(postgres, template) as database, platform_over(database) as platform:
        tally = await play(platform, path, where, rounds=rounds)
        found = await wrongs(platform, tally, calls=rounds)
    said = found[0] if found else "every answer holds"
    print(f"{path.name:<7} {where:<7} {rounds} calls, {tally.cuts} commits lost: {said}", flush=True)
    return len(found), tally.cuts


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)))
