"""Cleans and shortens text before it is stored, so that every database accepts it and it fits into its column.

An error message can contain anything. PostgreSQL refused a page of the event log again and again because of a NUL; half
of a surrogate pair and a name that was too long had the same effect. If a text is shortened, this is visible in it.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from typing import Any

from ops_project.counted import counted
from ops_project.model.alerting.signal import Signal

MESSAGE_LENGTH = 10_000
NAME_LENGTHS = {
    "kind": 80,
    "domain": 80,
    "pipeline": 160,
    "asset": 240,
    "partition": 160,
    "check": 240,
    "run_id": 64,
    "batch_id": 64,
    "failure_class": 40,
    "occurrence": 160,
}
"""Field of a signal → how many characters fit into its column."""
# If all texts of a signal together are shorter than the shortest column, none of them is too long.
_SHORT = min(NAME_LENGTHS.values())


def clean(text: str) -> str:
    """`text`, in which the characters that no database stores are replaced: NUL, and halves of surrogate pairs."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def cut_name(text: str, length: int) -> str:
    """At most `length` characters of `text`. If it is shortened, its last nine characters are a mark and a hash of the
    whole text. So two different names stay different.
    """
    if len(text) <= length:
        return text
    return f"{text[: length - 9]}~{blake2b(text.encode(), digest_size=4).hexdigest()}"


def cut(text: str, length: int = MESSAGE_LENGTH) -> str:
    """At most `length` characters of `text`. If it is shortened, the end says how much was left out."""
    if len(text) <= length:
        return text
    words = f" … ({counted(len(text) - length, 'more character')})"
    return text[: length - len(words)] + words


def storable(signal: Signal) -> Signal:
    """The signal in a form that can be stored. If nothing has to change, the same object is returned."""
    s = signal
    if _plain(s):
        return s
    names: dict[str, Any] = {name: cut_name(clean(getattr(s, name)), length) for name, length in NAME_LENGTHS.items()}
    return replace(
        s,
        **names,
        state=cut_name(clean(s.state), 8),
        message=cut(clean(s.message)),
        evidence_ref=cut(clean(s.evidence_ref)),
        owners=tuple(map(clean, s.owners)),
        assets=tuple(map(clean, s.assets)),
        labels={clean(str(name)): cut(clean(str(value))) for name, value in s.labels.items()},
    )


def _plain(s: Signal) -> bool:
    """Whether nothing has to be cleaned or shortened. Up to 100,000 signals are checked here, so the usual case needs
    only a few comparisons.
    """
    if s.labels and not all(
        value.isascii() and "\0" not in value and len(value) < MESSAGE_LENGTH and name.isascii() and "\0" not in name
        for name, value in s.labels.items()
    ):
        return False
    text = (
        f"{s.kind}{s.domain}{s.pipeline}{s.asset}{s.partition}{s.check}{s.run_id}{s.batch_id}{s.failure_class}"
        f"{s.occurrence}"
    )
    if len(text) > _SHORT and (
        len(s.failure_class) > 40
        or len(s.run_id) > 64
        or len(s.batch_id) > 64
        or len(s.kind) > 80
        or len(s.domain) > 80
        or len(s.pipeline) > 160
        or len(s.partition) > 160
        or len(s.occurrence) > 160
        or len(s.asset) > 240
        or len(s.check) > 240
    ):
        return False
    if len(s.message) > MESSAGE_LENGTH or len(s.evidence_ref) > MESSAGE_LENGTH:
        return False
    text = f"{text}{s.message}{s.evidence_ref}{''.join(s.owners)}{''.join(s.assets)}{s.state}"
    return text.isascii() and "\0" not in text
