"""SQL lives in files, one statement each, named by its verb; this is how they are read."""

from functools import cache
from importlib.resources import files


@cache
def statement(name: str) -> str:
    """The text of `sql/<name>.sql`, its leading comment removed, exactly as the server gets it."""
    text = files("outbox").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    lines = text.splitlines()
    while lines and lines[0].startswith("--"):
        del lines[0]
    return "\n".join(lines).strip()
