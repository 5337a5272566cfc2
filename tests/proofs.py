"""Proofs by repetition: short in `make test`, at the design's size in `make prove`."""

import os


def times(usually: int, *, proving: int) -> int:
    """How often to repeat: as `make prove` wants it when it runs this."""
    return proving if os.environ.get("ONELANE_PROVE") == "1" else usually
