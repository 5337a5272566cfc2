"""A broker's configuration: the template in deploy/kafka with the numbers of one machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from stack.ports import LOOPBACK

DEPLOY = Path(__file__).parents[2] / "deploy" / "kafka"
_REPLICAS_MAX = 3


@dataclass(frozen=True, slots=True)
class Node:
    """A broker that is also a controller."""

    node_id: int
    port: int
    controller_port: int


def render(node: Node, nodes: Sequence[Node], *, data: Path, extra: Mapping[str, str]) -> str:
    """The properties of `node` in a cluster of `nodes`; three keep every record thrice and need two in sync."""
    replicas = min(len(nodes), _REPLICAS_MAX)
    template = Template((DEPLOY / "server.properties").read_text(encoding="utf-8"))
    rendered = template.substitute(
        node_id=node.node_id,
        listen_host=LOOPBACK,
        host=LOOPBACK,
        port=node.port,
        controller_port=node.controller_port,
        voters=",".join(f"{each.node_id}@{LOOPBACK}:{each.controller_port}" for each in nodes),
        data=data,
        replicas=replicas,
        in_sync_min=max(1, replicas - 1),
    )
    return rendered + "".join(f"{key}={value}\n" for key, value in extra.items())
