"""`make planted`: play every scene with the right parts, then every mistake until it is found; the last line counts.

`python -m tests.planted [PB-NN …]` plays only these. Ends with 1 when a scene convicts right parts or misses a mistake.
"""

import asyncio
import logging
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache

from stack.ports import free_port
from stack.servers import Kafka, Postgres
from tests.chaos.judgement import Judgement
from tests.planted import register, town_register
from tests.planted.register import Mistake, Servers
from tests.planted.town_register import TownMistake
from tests.planted.town_stand import TownScene
from tests.shared_servers import servers_folder

MISTAKES: tuple[Mistake | TownMistake, ...] = (*register.MISTAKES, *town_register.MISTAKES)
SCENES = (*register.SCENES, *town_register.SCENES)


async def main(names: Sequence[str]) -> int:
    """Play what is asked for; returns the exit code."""
    logging.disable()  # what libraries say about servers that die here is no news
    chosen = [mistake for mistake in MISTAKES if not names or mistake.name in names]
    with _servers() as servers:
        wrongly_convicted = await _clear_the_right(servers, chosen)
        found = [await _found(servers, mistake) for mistake in chosen]
    print(f"planted: {sum(found)}/{len(chosen)}", flush=True)
    return 0 if all(found) and not wrongly_convicted else 1


async def _clear_the_right(servers: Servers, chosen: Sequence[Mistake | TownMistake]) -> int:
    wrong = 0
    for scene in [scene for scene in SCENES if any(mistake.scene is scene for mistake in chosen)]:
        began = time.monotonic()
        if isinstance(scene, TownScene):
            verdict = await town_register.play(servers.admin_dsn, scene)
        else:
            verdict = await register.play(servers, scene)
        wrong += not verdict.clean
        said = "cleared" if verdict.clean else f"CONVICTED OF {verdict.findings[0]}"
        name = scene.play.__name__.replace("_", " ")
        print(f"right  {name:<40} {said}  {time.monotonic() - began:.1f} s", flush=True)
    return wrong


async def _found(servers: Servers, mistake: Mistake | TownMistake) -> bool:
    began = time.monotonic()
    for run in range(1, register.RUNS_MAX + 1):
        verdict = await _played(servers, mistake)
        if mistake.breaks in verdict.invariants():
            text = f"found in run {run}, {time.monotonic() - began:.1f} s: {verdict.findings[0]}"
            print(f"{mistake.name}  {mistake.what:<40} {text}", flush=True)
            return True
    print(f"{mistake.name}  {mistake.what:<40} MISSED in {register.RUNS_MAX} runs", flush=True)
    return False


async def _played(servers: Servers, mistake: Mistake | TownMistake) -> Judgement:
    if isinstance(mistake, TownMistake):
        return await town_register.play(servers.admin_dsn, mistake.scene, mistake.parts)
    return await register.play(servers, mistake.scene, mistake.parts)


@contextmanager
def _servers() -> Iterator[Servers]:
    folder = servers_folder()
    with ExitStack() as down:
        down.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = down.enter_context(Postgres(folder / "postgres", free_port(), dies_with_parent=True))
        kafka = down.enter_context(Kafka(folder / "kafka", dies_with_parent=True))

        @cache
        def cluster() -> Kafka:
            return down.enter_context(Kafka(folder / "cluster", 3, dies_with_parent=True))

        yield Servers(postgres.admin_dsn, kafka.bootstrap, cluster)


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(sys.argv[1:])))
