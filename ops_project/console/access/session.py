"""The session cookie. It is signed with the home's key, so no server has to store it. It holds the id of the person who
logged in, or of the person who was chosen on this machine. Permissions are looked up for each request, so a role that
is removed from console.yaml ends at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

COOKIE = "ops_session"
LOOPBACK, LOGIN, PROXY = "loopback", "login", "proxy"


@dataclass(frozen=True, slots=True)
class Session:
    """The session of one browser, as its cookie holds it."""

    how: str
    """How the person was recognised: loopback, login or proxy."""
    who: str
    """The person's id. On this machine, it is empty until a person is chosen."""
    nonce: str
    ends_at: float


def new(how: str, who: str, now: datetime, life: timedelta) -> Session:
    """A new session that begins now."""
    return Session(how, who, secrets.token_urlsafe(16), (now + life).timestamp())


def seal(session: Session, key: bytes) -> str:
    """The cookie's text."""
    body = json.dumps([session.how, session.who, session.nonce, int(session.ends_at)], separators=(",", ":")).encode()
    return f"{base64.urlsafe_b64encode(body).decode()}.{_mac('session', body, key)}"


def unseal(text: str, key: bytes, now: datetime) -> Session | None:
    """The session in a cookie; None if this home did not sign the cookie, or if the session has ended."""
    head, _, given = text.partition(".")
    try:
        body = base64.urlsafe_b64decode(head)
    except ValueError:
        return None
    # Bytes are compared, because the comparison of texts refuses a cookie with characters outside ASCII.
    if not hmac.compare_digest(_mac("session", body, key).encode(), given.encode()):
        return None
    found = Session(*json.loads(body))
    return found if now.timestamp() < found.ends_at else None


def token(session: Session, key: bytes) -> str:
    """The token that every form of this session must contain. A page of another site cannot know it."""
    return _mac("form", session.nonce.encode(), key)


def _mac(purpose: str, body: bytes, key: bytes) -> str:
    # The purpose is signed too, because one key serves several purposes. A signature made for one purpose is not valid
    # for another.
    return hmac.new(key, purpose.encode() + b"\0" + body, hashlib.sha256).hexdigest()
