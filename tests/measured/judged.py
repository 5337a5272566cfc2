"""`python -m tests.measured.judged CHANGES`: spools and judges made-up facts of all witnesses, and measures itself.

Prints one line of JSON: peak memory of this process, seconds of wall and CPU, and what was found.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from tests.measured.facts import beside, told
from verification.incarnations import Incarnations
from verification.judging import Judging
from verification.report import Findings, Tallies
from verification.spool import Spool


def measured(changes: int) -> dict[str, object]:
    """Judge so many changes; how it went."""
    senders, tallies, findings = Incarnations(), Tallies(), Findings()
    began, cpu_before = time.monotonic(), time.process_time()
    with Spool() as spool:
        facts = 0
        for fact in told(changes, senders):
            spool.add(fact)
            facts += 1
        spooled, cpu_spooled = time.monotonic(), time.process_time()
        with Judging(beside(senders), tallies=tallies, findings=findings) as judging:
            for stories in spool.stories():
                judging.judge(stories.values())
            judging.judge_the_log()
    return {
        "changes": changes,
        "facts": facts,
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "told_and_spooled_seconds": round(spooled - began, 1),
        "judged_seconds": round(time.monotonic() - spooled, 1),
        "told_and_spooled_cpu_seconds": round(cpu_spooled - cpu_before, 1),
        "judged_cpu_seconds": round(time.process_time() - cpu_spooled, 1),
        "matched": [tally.matched for _, tally in tallies.named()],
        "found": {kind.value: count for kind, count in findings.counts.items()},
    }


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]))))
