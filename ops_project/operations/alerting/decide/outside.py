"""Routes outside the routing tree. No alert reaches such a route by its own labels. There are two kinds:

- `ends`: an alert no longer takes the route through which a receiver was told of it, because its severity or the
  route has changed. Through this kind of route, the receiver is told when the alert ends, and nothing else. Otherwise
  its page would stay open for ever.
- `symptoms`: an alert is silent because of a cause that goes to other receivers. Through this kind of route, the owners
  of the silent alert get the message about the cause, which lists their alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ops_project.model.alerting.receiver import ConsoleChannel, Receiver
from ops_project.operations.alerting.decide.routing import ENDS, SYMPTOMS, Node, walk


def ends_of(receiver: str) -> str:
    """The id of the route through which a receiver is only told that alerts have ended."""
    return f"({ENDS}) {receiver}"


def symptoms_of(node: Node) -> str:
    """The id of the route through which the owners of this route's silent alerts are told of the causes."""
    return f"{node.id} ({SYMPTOMS})"


def outside(tree: Node, receivers: Mapping[str, Receiver]) -> Iterator[Node]:
    """Every route outside this tree."""
    for name in receivers:
        yield replace(
            tree,
            id=ends_of(name),
            former_id=ends_of(name),
            receiver=name,
            group_by=(),
            mute=(),
            active=(),
            digest=None,
            children=(),
            path=(),
            kind=ENDS,
        )
    for node in walk(tree):
        found = receivers.get(node.receiver)
        if found is not None and not found.page and not node.digest and _tells_owners(found):
            name = symptoms_of(node)
            yield replace(node, id=name, former_id=name, children=(), path=(), kind=SYMPTOMS)


def _tells_owners(receiver: Receiver) -> bool:
    return any(c.to == "owners" and not isinstance(c, ConsoleChannel) for c in receiver.channels)
