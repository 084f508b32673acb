"""Removes personal data and secrets from free text before it leaves this installation."""

from __future__ import annotations

import re
from collections.abc import Callable

# Every event of a run is masked, and most texts hold nothing to mask. So each rule has a quick test, which takes a
# tenth of the rule's time. The test is true for every text in which the rule matches.
Needed = Callable[[str], object]


def _all_of(*parts: str) -> Needed:
    return lambda text: all(part in text for part in parts)


def _named_secret(text: str) -> bool:
    """Whether the text may contain the name of a secret. A pattern that ignores case matches some non-ASCII letters as
    ASCII letters, so the answer for a text with non-ASCII letters is always yes.
    """
    lowered = text.lower()
    return not text.isascii() or any(name in lowered for name in _SECRETS)


_SECRETS = ("passw", "secret", "token", "api", "authorization", "routing")
# The shortest telephone number has ten digits and one separator.
_LONG_NUMBER: Needed = re.compile(r"\d[\d ()-]{10}").search
_SOCIAL: Needed = re.compile(r"\d{3}-\d{2}-\d{4}").search
_ACCOUNT: Needed = re.compile(r"[A-Z]{2}\d{2}").search

_RULES: tuple[tuple[re.Pattern[str], str, Needed], ...] = (
    (
        re.compile(
            r"(?i)\b(password|passwd|secret|token|api[_-]?key|authorization|routing[_-]?key)\b(\s*[=:]\s*|\s+bearer\s+)\S+"
        ),
        r"\1\2***",
        _named_secret,
    ),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s:/@]+:[^\s@/]+@"), r"\1***@", _all_of("://", "@")),
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), "***@***", _all_of("@")),
    (re.compile(r"(?<![\w-])\+?\d{1,3}[ -]?\(?\d{3}\)?[ -]\d{3}[ -]?\d{3,4}(?!\w)"), "***", _LONG_NUMBER),
    (re.compile(r"(?<!\d)(?:\d[ -]?){15}\d(?!\d)"), "****", _LONG_NUMBER),
    # The next four patterns match a telephone number in one piece, one with its area code in brackets, a social
    # security number and an IBAN.
    (re.compile(r"(?<![\w+])\+\d{8,15}(?!\w)"), "***", _all_of("+")),
    (re.compile(r"\(\d{3}\) ?\d{3}[ .-]?\d{4}(?!\w)"), "***", _all_of("(", ")")),
    (re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), "***", _SOCIAL),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), "***", _ACCOUNT),
)


def mask(text: str) -> str:
    """`text` without e-mail addresses, phone, card, account and social security numbers, and values of secrets."""
    for pattern, replacement, needed in _RULES:
        if needed(text):
            text = pattern.sub(replacement, text)
    return text
