"""How fast somebody else may be called: rates that many processes share, and each one's part when they cannot.

`FallbackLimiter` is what a process uses; `ValkeyLimiter` and `LocalLimiter` keep the same promise alone.
"""

from chassis.limits.fallback import FallbackLimiter
from chassis.limits.limiter import Ask, Held, Limiter, LimiterAway, Rate, Taken
from chassis.limits.local import LocalLimiter
from chassis.limits.shared import ValkeyLimiter

__all__ = [
    "Ask",
    "FallbackLimiter",
    "Held",
    "Limiter",
    "LimiterAway",
    "LocalLimiter",
    "Rate",
    "Taken",
    "ValkeyLimiter",
]
