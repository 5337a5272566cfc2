from pathlib import Path

import pytest
import yaml

from stack.envoy_config import DESCRIPTOR, render


def test_the_addresses_and_bounds_end_where_envoy_reads_them() -> None:
    config = yaml.safe_load(
        render(
            listen="127.0.0.1:8084",
            upstream="10.0.0.7:8083",
            descriptor=Path("/srv/loms.pb"),
            timeout_seconds=2.5,
            body_bytes_max=65_536,
        )
    )

    (listener,) = config["static_resources"]["listeners"]
    (cluster,) = config["static_resources"]["clusters"]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    filters = {each["name"]: each["typed_config"] for each in manager["http_filters"]}
    transcoder = filters["envoy.filters.http.grpc_json_transcoder"]
    assert listener["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 8084}
    assert _endpoint(cluster) == {"address": "10.0.0.7", "port_value": 8083}
    assert transcoder["proto_descriptor"] == "/srv/loms.pb"
    routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    assert routes[-1]["route"]["timeout"] == "2.5s"
    answers = [each["direct_response"]["body"] for each in routes if "direct_response" in each]
    files = [answer["filename"] for answer in answers if "filename" in answer]
    assert files == ["/srv/loms.openapi.json", "/srv/docs.html"]
    assert filters["envoy.filters.http.buffer"]["max_request_bytes"] == 65_536


def test_the_committed_descriptor_is_the_default() -> None:
    assert str(DESCRIPTOR) in render(listen="127.0.0.1:1", upstream="127.0.0.1:2")
    assert DESCRIPTOR.exists()


@pytest.mark.parametrize("address", ["8084", "localhost", "127.0.0.1:", "127.0.0.1:http"])
def test_an_address_without_a_port_is_refused_with_an_example(address: str) -> None:
    with pytest.raises(ValueError, match=r"such as 127\.0\.0\.1:8084"):
        render(listen=address, upstream="127.0.0.1:8083")


def _endpoint(cluster: dict[str, object]) -> object:
    assignment = cluster["load_assignment"]
    assert isinstance(assignment, dict)
    return assignment["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]
