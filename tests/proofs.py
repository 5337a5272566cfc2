"""Proofs by repetition: short in `make test`, at the design's size in `make prove`."""

import os


def is_proof() -> bool:
    """Whether `make prove` runs this, on a machine that does nothing else."""
    return os.environ.get("ONELANE_PROVE") == "1"


def times(usually: int, *, proving: int) -> int:
    """How often to repeat: as `make prove` wants it when it runs this."""
    return proving if is_proof() else usually
