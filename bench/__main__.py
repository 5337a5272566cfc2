"""`python -m bench [part …]`: run parts (all by default), print the table and the closing lines, write the JSON."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from bench.contestants.roster import Roster, roster
from bench.environment import environment
from bench.findings import Findings
from bench.parts.cart import cart
from bench.parts.commits import commits
from bench.parts.drain import drain
from bench.parts.held import held
from bench.parts.inbox import inbox
from bench.parts.latency import latency, resources
from bench.parts.notification import notification
from bench.parts.orders import orders
from bench.parts.projection import projection
from bench.parts.sender import sender
from bench.parts.takeover import takeover
from bench.plot import draw
from bench.report import closing_lines, save, table
from bench.settings import BadSetting, Settings
from bench.stand import Stand, stand

PARTS: dict[str, Callable[[Stand, Roster], Findings]] = {
    "latency": latency,
    "resources": resources,
    "drain": drain,
    "commits": commits,
    "inbox": inbox,
    "held": held,
    "takeover": takeover,
    "sender": sender,
    "notification": notification,
    "orders": orders,
    "projection": projection,
    "cart": cart,
}
_IN_ALL = [name for name in PARTS if name != "resources"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, report; 0 = measured, 1 = ours lost, doubled or disordered something, 2 = usage."""
    given = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    try:
        settings = _settings(given)
    except BadSetting as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    before = environment()
    found = _run(given.parts or _IN_ALL, settings)
    return _report(found, settings, before)


def _run(parts: Sequence[str], settings: Settings) -> list[Findings]:
    with stand(settings) as servers, roster(servers) as contestants:
        return [PARTS[part](servers, contestants) for part in parts]


def _report(found: Sequence[Findings], settings: Settings, before: Mapping[str, Any]) -> int:
    """The JSON, the picture, the table of medians, the closing lines."""
    written = save(found, settings, {**before, "load_average_after": os.getloadavg()})
    draw(found, written.with_suffix(".png"))
    for part in found:
        print(f"\n{part.part}, medians of {settings.repeat} rounds")
        print("\n".join(f"  {line}" for line in table(part)))
    print(f"\nwritten: {written}\n")
    print("\n".join(closing_lines(found)))
    wrong = [each for part in found for each in part.wrong]
    for each in wrong:
        print(f"bench: WRONG {each}")
    return 1 if wrong else 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def _parser() -> argparse.ArgumentParser:
    known = Settings()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part", help=", ".join(PARTS))
    parser.add_argument("--seconds", type=float, default=known.seconds)
    parser.add_argument("--warm-seconds", type=float, default=known.warm_seconds)
    parser.add_argument("--repeat", type=int, default=known.repeat)
    parser.add_argument("--rates", type=_numbers, default=known.rates, help="comma between")
    parser.add_argument("--rows", type=int, default=known.rows)
    parser.add_argument("--held-seconds", type=float, default=known.held_seconds)
    parser.add_argument("--held-rate", type=int, default=known.held_rate)
    parser.add_argument("--takeovers", type=int, default=known.takeovers)
    parser.add_argument("--messages", type=int, default=known.messages)
    parser.add_argument("--contestants", type=_names, default=known.contestants, help="comma between")
    parser.add_argument("--results", type=Path, default=known.results)
    return parser


def _settings(given: argparse.Namespace) -> Settings:
    chosen = {name: value for name, value in vars(given).items() if name != "parts"}
    return replace(Settings(), **chosen)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


if __name__ == "__main__":
    raise SystemExit(main())
