"""One platform for the tests of this folder, with its spans received by the test."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.platform import Platform, running_platform
from tests.spans import Spans, span_receiver


@dataclass(frozen=True)
class Observed:
    """A platform and the spans its processes send."""

    platform: Platform
    spans: Spans


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    with span_receiver() as (endpoint, spans):
        home = tmp_path_factory.mktemp("platform")
        with running_platform(home, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint) as platform:
            yield Observed(platform, spans)
