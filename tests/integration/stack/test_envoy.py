"""Envoy of our own: it runs what it is given, or says what is wrong with it."""

from pathlib import Path

import httpx
import pytest

from stack.errors import ServerFailed
from stack.ports import LOOPBACK, free_port
from stack.servers import Envoy

ANSWERING = """
static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: test
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [{{match: {{prefix: "/"}}, direct_response: {{status: 418}}}}]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
"""


def test_it_answers_as_configured_and_again_after_a_kill(server_folder: Path) -> None:
    port = free_port()
    with Envoy(server_folder / "envoy", port, ANSWERING.format(port=port), dies_with_parent=True) as envoy:
        assert httpx.get(f"http://{LOOPBACK}:{port}/").status_code == 418

        envoy.kill()
        envoy.start()

        assert httpx.get(f"http://{LOOPBACK}:{port}/").status_code == 418


def test_a_broken_configuration_is_refused_with_its_reason(server_folder: Path) -> None:
    envoy = Envoy(server_folder / "envoy", free_port(), "static_resources: {listeners: 42}")

    with pytest.raises(ServerFailed, match="listeners"):
        envoy.start()

    assert envoy.pid is None
