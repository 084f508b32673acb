"""The name of a time zone."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator


def _known(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"timezone {value!r} is not known; for example Europe/London or America/New_York") from None
    return value


Timezone = Annotated[str, AfterValidator(_known)]
