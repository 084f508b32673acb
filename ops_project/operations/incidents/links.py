"""Signed links. A link stands for one action on one incident. It expires, and it works only once. A link without a
valid signature does nothing. The key lies in the home. Only the home's owner can read it, because whoever can read the
key can sign links.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import secrets
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ops_project.model.alerting.signal import digest

ACTIONS = {
    "acknowledge": "Acknowledge",
    "take": "Take over",
    "silence": "Silence for one hour",
    "resolve": "Resolve",
}
LIFE = timedelta(hours=24)
KEY_BYTES = 32
LONGEST = 2000


class LinkRefused(ValueError):
    """A link that is not valid. The message says why, without any detail about the key."""


class KeyExposed(RuntimeError):
    """The key can be read by users other than its owner, or it is damaged."""


@dataclass(frozen=True, slots=True)
class Link:
    """The action of one link."""

    action: str
    incident: int
    who: str
    """The person to whom the link was sent. Empty if several people read the message; the page then asks who is
    acting.
    """
    expires_at: datetime
    id: str
    """Of all links with the same id, only one can be used, and only once."""


def key(folder: Path) -> bytes:
    """The home's key, which has 32 bytes and is made when it is first needed. Raises KeyExposed."""
    path = folder / "links.key"
    try:
        return _key(folder, path)
    except OSError as error:
        raise KeyExposed(f"{path} cannot be read: {error.strerror}; remove it, and a new one is made") from None


def _key(folder: Path, path: Path) -> bytes:
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # The file gets its name only when it is complete. So no process reads half a key, and a killed process leaves
        # none.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".links-") as made:
            made.write(secrets.token_bytes(KEY_BYTES))
            made.flush()
            with suppress(FileExistsError):
                os.link(made.name, path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyExposed(
            f"{path} can be read by others (mode {mode:04o}): remove it, and a new one is made; links that were sent "
            "before stop working"
        )
    found = path.read_bytes()
    if len(found) != KEY_BYTES:
        raise KeyExposed(f"{path} is damaged: remove it, and a new one is made")
    return found


def sign(link: Link, secret: bytes) -> str:
    """The link as a signed text, which becomes a part of a URL."""
    body = json.dumps(
        [link.action, link.incident, link.who, int(link.expires_at.timestamp()), link.id], separators=(",", ":")
    ).encode()
    return f"{_text(body)}.{_text(_mac(body, secret))}"


def verify(text: str, secret: bytes, now: datetime) -> Link:
    """The link that a signed text stands for. Raises LinkRefused."""
    invalid = LinkRefused("this link is not valid; copy the whole link from the message")
    head, dot, tail = text.partition(".")
    if not dot or len(text) > LONGEST:
        raise invalid
    try:
        body, given = _bytes(head), _bytes(tail)
    except (binascii.Error, ValueError):
        raise invalid from None
    if not hmac.compare_digest(_mac(body, secret), given):
        raise invalid
    action, incident, who, expires, identity = json.loads(body)
    link = Link(action, incident, who, datetime.fromtimestamp(expires, UTC), identity)
    if now >= link.expires_at:
        raise LinkRefused(
            f"this link has expired ({link.expires_at:%Y-%m-%d %H:%M} UTC); use a newer message or a shell"
        )
    return link


def links_for(message: str, incident: int, who: str, sent_at: datetime, secret: bytes) -> list[tuple[str, str]]:
    """The links of one message, as (label, signed text): one for each action. If the message is sent again, the links
    are the same.
    """
    return [
        (label, sign(Link(action, incident, who, sent_at + LIFE, digest(message, action, str(incident))), secret))
        for action, label in ACTIONS.items()
    ]


def _mac(body: bytes, secret: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
