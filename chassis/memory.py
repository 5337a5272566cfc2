"""How a long-lived process looks for cyclic garbage."""

import gc

_YOUNG_OBJECTS = 50_000
_YOUNG_COLLECTIONS = 20
_MIDDLE_COLLECTIONS = 50


def spare_the_long_lived() -> None:
    """Take all there is for permanent, and look for cyclic garbage less often. Call it once, before the work begins.

    What start-up made (modules, classes, codecs, metrics) lives as long as the process; without this the collector
    walks all of it again and again. Python's first threshold, 700 objects, is less than one batch of rows, which are no
    garbage either. Nearly everything is freed at once by its reference count; what waits longer here are cycles, mostly
    of failed requests, at most some tens of megabytes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_COLLECTIONS, _MIDDLE_COLLECTIONS)
