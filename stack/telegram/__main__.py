"""`python -m stack.telegram --address 127.0.0.1:8081 --folder DIR`: runs the stand-in until SIGTERM or SIGINT."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import uvicorn

from stack.telegram.connection import HangUpProtocol
from stack.telegram.rates import AS_TELEGRAM, UNLIMITED, RateLimits
from stack.telegram.stand_in import Settings, build

_STOP_SECONDS_MAX = 1
_BACKLOG = 1024


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve; 0 after a stop by signal, 1 when the address is taken, 2 for bad arguments."""
    options = _parser().parse_args(arguments)
    host, _, port = options.address.rpartition(":")
    application, journal = build(
        Settings(
            folder=options.folder,
            token=options.token,
            limits=_limits(options),
            strict_chats=options.strict_chats,
        )
    )
    server = _Server(
        uvicorn.Config(
            application,
            host=host,
            port=int(port),
            http=HangUpProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            backlog=_BACKLOG,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=_STOP_SECONDS_MAX,
        )
    )
    try:
        server.run()
    finally:
        journal.close()
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """Ends well on a signal: uvicorn's own way ends the process as if the signal had killed it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ask the server to stop on SIGTERM and SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack.telegram", description=__doc__)
    parser.add_argument("--address", type=_address, default="127.0.0.1:8081", help="host:port to listen on")
    parser.add_argument("--folder", type=Path, required=True, help="where accepted.jsonl lies")
    parser.add_argument("--token", type=_token, help="the one token that is ours; without it any well-formed one is")
    parser.add_argument(
        "--limits", action="store_true", help="the real service's: 30/s a bot, 1/s a chat, 20/min a group"
    )
    parser.add_argument("--bot-per-second", type=_rate, help="messages a second per bot; 0 = no limit")
    parser.add_argument("--chat-per-second", type=_rate, help="messages a second per chat; 0 = no limit")
    parser.add_argument("--group-per-minute", type=_rate, help="messages a minute per group; 0 = no limit")
    parser.add_argument("--strict-chats", action="store_true", help="a chat exists only after its person wrote")
    return parser


def _limits(options: argparse.Namespace) -> RateLimits:
    """None unless asked for; one that is named counts before the real service's."""
    known = asdict(AS_TELEGRAM if options.limits else UNLIMITED)
    named = {name: value for name in known if (value := getattr(options, name)) is not None}
    return RateLimits(**{**known, **named})


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:  # noqa: PLR2004  the range of TCP ports
        raise argparse.ArgumentTypeError(f"{value!r} is not host:port")
    return value


def _token(value: str) -> str:
    number, _, secret = value.partition(":")
    if not number.isdigit() or not secret:
        raise argparse.ArgumentTypeError("a token is <number>:<letters, digits, _ and ->")
    return value


def _rate(value: str) -> int:
    if not value.isdigit():
        raise argparse.ArgumentTypeError(f"{value!r} is not a whole number of messages a second")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
