"""The program's door: mounts the commands, turns refusals into a text on stderr and an exit code."""

from __future__ import annotations

import logging
import sys

import typer
import typer.main

from cli import stack_commands
from cli.exits import CommandFailed, ExitCode
from cli.groups import LateGroup
from cli.output import notes
from stack.errors import ClusterHasOtherSize, StackError
from stack.settings import BadSetting

_CODES = {BadSetting: ExitCode.USAGE, ClusterHasOtherSize: ExitCode.REFUSED}
"""The refusals of the stack that are more than an error."""

app = typer.Typer(
    cls=LateGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="One lane from an order's change to the person who waits for it.",
    epilog="Exit codes: 0 ok · 1 error · 2 usage · 3 check failed · 4 refused · 5 partial. NO_COLOR is honoured.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
stack_commands.mount(app)


def main() -> None:
    """Run the command given on the command line and exit with its code."""
    raise SystemExit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; return the exit code it ended with."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it cannot reach, a command says in its own words
    try:
        typer.main.get_command(app).main(args=arguments, prog_name="onelane")
    except CommandFailed as failure:
        return _told(failure.text, cure=failure.cure, code=failure.code)
    except StackError as failure:
        return _told(failure.fact, cure=failure.cure, code=_CODES.get(type(failure), ExitCode.ERROR))
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else ExitCode.OK
    return ExitCode.OK


def _told(text: str, *, cure: str, code: ExitCode) -> int:
    console = notes()
    console.print(f"error: {text}", style="red", markup=False, soft_wrap=True)
    if cure:
        console.print(f"cure: {cure}", markup=False, soft_wrap=True)
    return code


if __name__ == "__main__":
    main()
