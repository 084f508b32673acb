"""Reads the form of a request, and limits its size."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

LARGEST = 64_000
TOO_LARGE = "The form is too large."


class FormTooLarge(ValueError):
    """The request is larger than any form of the console could be."""


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a form: name → value. Empty for a request that is not a POST. Raises FormTooLarge as soon as the
    limit is passed, before the rest is read.
    """
    if request.method != "POST":
        return {}
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise FormTooLarge(TOO_LARGE)
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}
