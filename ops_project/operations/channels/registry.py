"""Finds the sender for a configured channel.

Each kind of channel is a module of this folder, and its `type` is the name of the module. The module has two functions:
`missing` says which environment variables a channel lacks, and `sender` makes the channel's sender. A module is
imported only if such a channel is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib import import_module
from typing import cast
from urllib.parse import quote

from ops_project.model.alerting.receiver import AnyChannel, Receiver
from ops_project.operations.channels.protocol import ChannelModule, Sender
from ops_project.operations.channels.variables import SLACK_API
from ops_project.settings import Settings

MASKED = "***"
# Shorter values are not masked. A password of three letters would mask parts of ordinary words.
SHORTEST = 4
LONG_PART = 12


def _module(channel: AnyChannel) -> ChannelModule:
    return cast(ChannelModule, import_module(f"ops_project.operations.channels.{channel.type}"))


def missing(channel: AnyChannel, settings: Settings, elsewhere: Collection[str] = ()) -> list[str]:
    """The environment variables without which this channel cannot send. If a value cannot be used, the name is followed
    by the reason in parentheses. `elsewhere`: variables that another process has. They do not count as missing, because
    that process sends the messages.
    """
    lacking = _module(channel).missing(channel, settings)
    either = {getattr(channel, field) for field in channel.either}
    if not either.isdisjoint(elsewhere):
        # The channel needs only one of these variables.
        return [name for name in lacking if "(" in name]
    return [name for name in lacking if name not in elsewhere]


def sender(channel: AnyChannel, settings: Settings) -> Sender:
    """The sender of a channel whose variables are all set."""
    return _module(channel).sender(channel, settings)


def unconfigured(
    receivers: Mapping[str, Receiver], settings: Settings, elsewhere: Collection[str] = ()
) -> dict[str, list[str]]:
    """Name of each channel that lacks something → the variables that it lacks. `elsewhere`: as in `missing`."""
    # Several parts of a cycle ask this. The answer depends only on these values, so it is kept.
    values = tuple(settings.secret(name) for name in sorted({*secret_names(receivers), SLACK_API}))
    key = (id(receivers), frozenset(elsewhere), values)
    kept = _lacking.get(key)
    if kept is None:
        if len(_lacking) > MOST_KEPT:
            _lacking.clear()
        # The receivers are kept too. Otherwise Python could give their id to another object.
        kept = _lacking[key] = (receivers, _unconfigured(receivers, settings, elsewhere))
    return dict(kept[1])


_lacking: dict[object, tuple[object, dict[str, list[str]]]] = {}
# Each of the two lists holds at most one entry: the receivers that were last asked about, and the answer. In `_names`,
# it is the variables that their channels read; in `_hidden`, only those that are secret.
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
    """The names of all variables that a channel reads."""
    return _remembered(
        _names,
        receivers,
        lambda channel: (value for field, value in channel if field.endswith("_env") and value),
    )


def _remembered(
    memory: list[tuple[Mapping[str, Receiver], frozenset[str]]],
    receivers: Mapping[str, Receiver],
    names: Callable[[AnyChannel], Iterable[str]],
) -> frozenset[str]:
    """The names of all channels together. The answer is kept for the receivers that were last asked about. Another
    thread may ask about other receivers at the same time, so `memory` is read only once.
    """
    known = next(iter(memory), None)
    if known is None or known[0] is not receivers:
        channels = (channel for receiver in receivers.values() for channel in receiver.channels)
        known = (receivers, frozenset(name for channel in channels for name in names(channel)))
        memory[:] = [known]
    return known[1]


def lacks(lacking: Sequence[str]) -> str:
    """What `missing` has found, in words, for example `OPS_SMTP_HOST is not set`."""
    unset = [name for name in lacking if "(" not in name]
    wrong = [f"{name} cannot be used {words}" for name, _, words in (item.partition(" ") for item in lacking) if words]
    return "; ".join([f"{' or '.join(unset)} is not set"] * bool(unset) + wrong)


def secret_values(receivers: Mapping[str, Receiver], settings: Settings) -> list[str]:
    """The values that no text may repeat: the passwords, tokens, keys and addresses of the channels, the
    longest first.
    """
    names = _remembered(_hidden, receivers, lambda channel: channel.secret_variables())
    values = {value for name in names if (value := settings.secret(name))}
    # The parts of an address count too. A client that refuses an address may name only its path.
    for value in list(values):
        values |= {value.strip(), quote(value, safe=""), quote(value, safe="/:")}
        values |= {part for part in re.split(r"[/?&=#@\s]+", value) if len(part) >= LONG_PART}
    return sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True)


def mask(text: str, values: Collection[str]) -> str:
    """`text`, in which each of `values` is replaced by MASKED."""
    for value in values:
        if value in text:
            text = text.replace(value, MASKED)
    return text
