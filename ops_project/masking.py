"""Take personal data and secrets out of free text before it leaves the house."""

from __future__ import annotations

import re

_RULES = (
    (
        re.compile(
            r"(?i)\b(password|passwd|secret|token|api[_-]?key|authorization|routing[_-]?key)\b(\s*[=:]\s*|\s+bearer\s+)\S+"
        ),
        r"\1\2***",
    ),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s:/@]+:[^\s@/]+@"), r"\1***@"),
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), "***@***"),
    (re.compile(r"(?<![\w-])\+?\d{1,3}[ -]?\(?\d{3}\)?[ -]\d{3}[ -]?\d{3,4}(?!\w)"), "***"),
    (re.compile(r"(?<!\d)(?:\d[ -]?){15}\d(?!\d)"), "****"),
)


def mask(text: str) -> str:
    """`text` without e-mail addresses, phone and card numbers, and values of secrets."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
