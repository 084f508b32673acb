"""Configuration → senders. Each kind of channel is one module of this folder, named after its `type`, with two
functions: `missing` says which environment variables it lacks, and `sender` makes its sender. A module is imported
only if its channel is used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import cast
from urllib.parse import quote

from ops_project.model.alerting.receiver import AnyChannel, Receiver
from ops_project.operations.channels.protocol import ChannelModule, Sender
from ops_project.operations.channels.variables import SLACK_API
from ops_project.settings import Settings

MASKED = "***"
# Shorter values are not masked, because a password of three letters would mask parts of ordinary words.
SHORTEST = 4
LONG_PART = 12


def _module(channel: AnyChannel) -> ChannelModule:
    return cast(ChannelModule, import_module(f"ops_project.operations.channels.{channel.type}"))


def missing(channel: AnyChannel, settings: Settings, elsewhere: Collection[str] = ()) -> list[str]:
    """Environment variables without which this channel cannot send. If a value cannot be used, the reason follows in
    parentheses. `elsewhere`: variables that another process has; that process sends the messages.
    """
    lacking = _module(channel).missing(channel, settings)
    either = {getattr(channel, field) for field in channel.either}
    if not either.isdisjoint(elsewhere):
        # The channel needs only one of these variables.
        return [name for name in lacking if "(" in name]
    return [name for name in lacking if name not in elsewhere]


def sender(channel: AnyChannel, settings: Settings) -> Sender:
    """The sender of a channel whose secrets are set."""
    return _module(channel).sender(channel, settings)


def unconfigured(
    receivers: Mapping[str, Receiver], settings: Settings, elsewhere: Collection[str] = ()
) -> dict[str, list[str]]:
    """Name of each channel that lacks something → the variables it lacks; `elsewhere` as in `missing`."""
    # Several parts of a cycle ask for this. The answer changes only with these values.
    values = tuple(settings.secret(name) for name in sorted({*secret_names(receivers), SLACK_API}))
    key = (id(receivers), frozenset(elsewhere), values)
    kept = _lacking.get(key)
    if kept is None:
        if len(_lacking) > MOST_KEPT:
            _lacking.clear()
        # The receivers are kept, so that Python does not give their id to another object.
        kept = _lacking[key] = (receivers, _unconfigured(receivers, settings, elsewhere))
    return dict(kept[1])


_lacking: dict[object, tuple[object, dict[str, list[str]]]] = {}
_names: list[tuple[Mapping[str, Receiver], frozenset[str]]] = []
_hidden: list[tuple[Mapping[str, Receiver], frozenset[str]]] = []
MOST_KEPT = 8


def _unconfigured(
    receivers: Mapping[str, Receiver], settings: Settings, elsewhere: Collection[str]
) -> dict[str, list[str]]:
    return {
        name: lacking
        for receiver_name, receiver in receivers.items()
        for name, channel in receiver.named(receiver_name)
        if (lacking := missing(channel, settings, elsewhere))
    }


def secret_names(receivers: Mapping[str, Receiver]) -> frozenset[str]:
    """Every variable that some channel reads."""
    if not _names or _names[0][0] is not receivers:
        found = frozenset(
            value
            for receiver in receivers.values()
            for channel in receiver.channels
            for field, value in channel
            if field.endswith("_env") and value
        )
        _names[:] = [(receivers, found)]
    return _names[0][1]


def lacks(lacking: Sequence[str]) -> str:
    """Words for what `missing` found: OPS_SMTP_HOST is not set."""
    unset = [name for name in lacking if "(" not in name]
    wrong = [f"{name} cannot be used {words}" for name, _, words in (item.partition(" ") for item in lacking) if words]
    return "; ".join([f"{' or '.join(unset)} is not set"] * bool(unset) + wrong)


def _secret(receivers: Mapping[str, Receiver]) -> frozenset[str]:
    """The variables whose values must never be shown."""
    if not _hidden or _hidden[0][0] is not receivers:
        channels = (channel for receiver in receivers.values() for channel in receiver.channels)
        _hidden[:] = [(receivers, frozenset(name for channel in channels for name in channel.secret_variables()))]
    return _hidden[0][1]


def secret_values(receivers: Mapping[str, Receiver], settings: Settings) -> list[str]:
    """The values that must not be repeated anywhere: the passwords, tokens, keys and addresses of the channels, the
    longest first.
    """
    values = {value for name in _secret(receivers) if (value := settings.secret(name))}
    # The parts of an address count as well: a client that refuses an address may name only its path.
    for value in list(values):
        values |= {value.strip(), quote(value, safe=""), quote(value, safe="/:")}
        values |= {part for part in re.split(r"[/?&=#@\s]+", value) if len(part) >= LONG_PART}
    return sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True)


def mask(text: str, values: Collection[str]) -> str:
    """`text` without any of `values`."""
    for value in values:
        if value in text:
            text = text.replace(value, MASKED)
    return text
