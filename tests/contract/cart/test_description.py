"""What `/openapi.json` says is what callers get.

schemathesis makes up requests, good and bad, and holds every answer against the description.
"""

import asyncio
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from tests.cart_fixtures import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUESTS_OF_EACH = 25
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.unsupported_method,
]


async def test_every_answer_is_one_of_the_described(shop: World) -> None:
    url = f"http://{shop.cart.parts.server.address}"

    counted = await asyncio.to_thread(answers_held_against_the_description, url)

    assert counted.keys() == {
        "POST /user/{user_id}/cart/{sku_id}",
        "DELETE /user/{user_id}/cart/{sku_id}",
        "DELETE /user/{user_id}/cart",
        "GET /user/{user_id}/cart",
        "POST /checkout/{user_id}",
    }
    assert min(counted.values()) >= REQUESTS_OF_EACH


def answers_held_against_the_description(url: str) -> dict[str, int]:
    """Call every operation with made-up requests; return how many there were of each."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    operations = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    return {operation.label: called(operation) for operation in operations}


def called(operation: APIOperation[Any, Any, Any, Any]) -> int:
    count = 0
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

        @hypothesis.settings(
            max_examples=REQUESTS_OF_EACH,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def answered(case: Case[Any]) -> None:
            nonlocal count
            count += 1
            case.call_and_validate(checks=CHECKS)

        answered()
    return count
