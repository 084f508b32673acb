"""Reads the form of a request, up to a size that no form of ours reaches."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

LARGEST = 64_000
TOO_LARGE = "The form is too large."


class FormTooLarge(ValueError):
    """More was sent than any form of ours holds."""


async def form_of(request: Request) -> dict[str, str]:
    """Name → value, as it was sent; nothing for a GET. Raises FormTooLarge before the rest is read."""
    if request.method != "POST":
        return {}
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise FormTooLarge(TOO_LARGE)
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
