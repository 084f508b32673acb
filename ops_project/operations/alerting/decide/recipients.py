"""Decides which alerts each recipient of a channel gets. Each owner gets its own alerts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ops_project.model.alerting.alert import Alert
from ops_project.model.alerting.receiver import Channel
from ops_project.model.owner import Team
from ops_project.operations.alerting.decide.routing import Node, match
from ops_project.operations.alerting.decide.state import AlertConfig


def shares(channel: Channel, alerts: Sequence[Alert], config: AlertConfig) -> dict[str, frozenset[int]]:
    """Recipient → the numbers of the alerts that it gets. If the channel has a single reader, the recipient is an empty
    text.
    """
    if channel.one_reader:
        return {"": frozenset(alert.number for alert in alerts)} if alerts else {}
    result: dict[str, set[int]] = {}
    for alert in alerts:
        for recipient in _recipients(channel, alert, config):
            result.setdefault(recipient, set()).add(alert.number)
    return {recipient: frozenset(numbers) for recipient, numbers in result.items()}


def of_symptom(channel: Channel, cause: Alert, symptom: Alert, node: Node, config: AlertConfig) -> list[str]:
    """The owners of a symptom that are told of it in the message about its cause. An owner that gets the cause through
    another branch is left out. `node`: the route through which the message goes.
    """
    served = _served(channel, cause, config, beside=(node,) if node.kind else ())
    return [found for found in of_owners(channel, symptom.owners, config) if found not in served]


def named(channel: Channel, alerts: Sequence[Alert], config: AlertConfig) -> list[str]:
    """The names of the people and teams that get a message about these alerts, each name once."""
    found = [name for alert in alerts for name in _recipients(channel, alert, config)]
    return [owner_name(name, config) for name in dict.fromkeys(found) if name]


def owner_name(owner: str, config: AlertConfig) -> str:
    """The name of a recipient, as readers know it. An unknown recipient is returned unchanged."""
    found = config.owners.resolve(owner)
    if found is None:
        return owner
    return f"{found.name} (team)" if isinstance(found, Team) else found.name


def _recipients(channel: Channel, alert: Alert, config: AlertConfig) -> list[str]:
    if channel.to == "owners":
        served = _served(channel, alert, config)
        return [found for found in of_owners(channel, alert.owners, config) if found not in served]
    if channel.to == "on-call":
        return of_owners(channel, config.on_call or [primary(alert, config)], config)
    if channel.to == "primary-owner":
        owner = primary(alert, config)
        if owner in (config.on_call or (owner,)) and _paged_too(channel, alert, config):
            return []  # The person on call gets the page itself, so this channel leaves that person out.
        return of_owners(channel, [owner], config)
    return of_owners(channel, (), config)


def _paged_too(channel: Channel, alert: Alert, config: AlertConfig) -> bool:
    """Whether the person on call gets this alert through another channel of the same kind."""
    return any(
        other is not channel and other.to == "on-call" and other.type == channel.type
        for node in match(config.tree, alert.labels)
        for name, other in config.receivers[node.receiver].named(node.receiver)
        if name not in config.unconfigured
    )


def _served(channel: Channel, alert: Alert, config: AlertConfig, beside: Sequence[Node] = ()) -> set[str]:
    """The e-mail addresses that get this alert through another branch of the tree whenever this channel's branch sends
    it. A branch that sends later, because it has other quiet times or a digest, does not count.
    """
    if channel.type != "email":
        return set()
    nodes = match(config.tree, alert.labels)
    own = [node for node in nodes if any(item is channel for item in config.receivers[node.receiver].channels)]
    own += beside
    return {
        found
        for node in nodes
        if own and not node.digest and not node.active and all(set(node.mute) <= set(mine.mute) for mine in own)
        for name, other in config.receivers[node.receiver].named(node.receiver)
        if other.type == "email" and isinstance(other.to, tuple) and name not in config.unconfigured
        if other.send_resolved or not channel.send_resolved
        for written in other.to
        if (found := address(other, written, config)) is not None
    }


def of_owners(channel: Channel, owners: Iterable[str], config: AlertConfig) -> list[str]:
    """The addresses of `owners` for this kind of channel. If the channel names its own recipients, these are
    returned. An owner whom owners.yaml does not know, and whom the channel therefore cannot reach, is left out.
    """
    if channel.to in ("owners", "primary-owner", "on-call"):
        found = [where for owner in owners if owner and (where := address(channel, owner, config)) is not None]
    else:
        found = [where for name in channel.to if (where := address(channel, name, config)) is not None]
        if channel.one_message and found:
            found = [",".join(dict.fromkeys(found))]
    if not found and channel.one_message:
        return []  # Nobody owns the alert, so an e-mail has no recipient. The message goes through the other channels.
    return list(dict.fromkeys(found)) or [""]


def primary(alert: Alert, config: AlertConfig) -> str:
    """The person who is responsible for the failed asset: the primary owner of the pipeline or domain, otherwise the
    first owner of the alert. Of a team, it is the first member.
    """
    if alert.labels.get("pipeline", "") in config.pipeline_owners:
        return config.pipeline_owners[alert.labels["pipeline"]]
    for name in (alert.labels.get("pipeline", ""), alert.labels.get("domain", "")):
        if name in config.primary_owners and not (config.watches and alert.owners):
            return person(config.primary_owners[name], config)
    return person(alert.owners[0], config) if alert.owners else ""


def person(owner: str, config: AlertConfig) -> str:
    """The first member of a team; a person's id is returned as it is."""
    found = config.owners.resolve(owner)
    return found.members[0] if isinstance(found, Team) else owner


def address(channel: Channel, owner: str, config: AlertConfig) -> str | None:
    """The address of `owner` for this kind of channel. A name that owners.yaml does not know is used as an address;
    None if the channel has no such addresses.
    """
    known = config.owners.resolve(owner)
    if known is None:
        return channel.address_of_stranger(owner)
    found = channel.address_of(known)
    return owner if found is None else found
