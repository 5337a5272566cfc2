"""A child's line to its parent: words on standard output and input; the end of the input is the word to stop."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

Config = dict[str, Any]


class Parent:
    """Who started this program."""

    def __init__(self, words: asyncio.StreamReader) -> None:
        self._words = words

    def say(self, word: str, **facts: Any) -> None:
        """One line: a word, and facts as JSON."""
        print(word, json.dumps(facts), flush=True)

    async def word(self) -> str:
        """The next word, empty when the parent has no more to say or is gone."""
        return (await self._words.readline()).decode().strip()


def run(main: Callable[[Config, Parent], Awaitable[None]]) -> None:
    """Run a program with the configuration it was given as its argument."""

    async def connected() -> None:
        words = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(words), sys.stdin)
        await main(json.loads(sys.argv[1]), Parent(words))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(connected())
