"""Remove personal data and secrets from free text before it leaves this installation."""

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
    # A telephone number in one piece or with its area in brackets, a social security number, an IBAN.
    (re.compile(r"(?<![\w+])\+\d{8,15}(?!\w)"), "***"),
    (re.compile(r"\(\d{3}\) ?\d{3}[ .-]?\d{4}(?!\w)"), "***"),
    (re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"), "***"),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), "***"),
)


def mask(text: str) -> str:
    """`text` without e-mail addresses, phone, card, account and social security numbers, and values of secrets."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text
