"""`onelane verify --since` reads what people write."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.exits import CommandFailed, ExitCode
from cli.verify import window


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("30s", timedelta(seconds=30)),
        ("90m", timedelta(minutes=90)),
        ("1h", timedelta(hours=1)),
        ("3d", timedelta(days=3)),
        ("all", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2026-11-21T08:00:00Z", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("2026-11-21T10:00:00+02:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
        ("2026-11-21 08:00", datetime(2026, 11, 21, 8, tzinfo=UTC)),
    ],
)
def test_a_window_is_an_age_or_a_moment(since: str, expected: datetime | timedelta) -> None:
    assert window(since) == expected


@pytest.mark.parametrize("since", ["", "1", "h", "1w", "yesterday", "-1h"])
def test_what_is_neither_is_a_usage_error(since: str) -> None:
    with pytest.raises(CommandFailed) as refused:
        window(since)

    assert refused.value.code is ExitCode.USAGE
