"""What tests read out of a report."""

from verification.report import Kind, Report

LIFE = ("new", "awaiting payment", "paid")


def found(report: Report) -> list[tuple[Kind, str, int | None]]:
    """Each finding: what, against which rule, in which version."""
    return [(finding.kind, finding.invariant, finding.version) for finding in report.findings]
