"""The text of a file that the user names."""

from __future__ import annotations

from pathlib import Path

import click

LARGEST = 10_000_000
"""Bytes. A text that a person wrote is far below."""


def text_of(path: Path) -> str:
    """The text in `path`. Raises UsageError if it is no text in UTF-8, or too large to be one that a person wrote."""
    with path.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise click.UsageError(f"{path} holds more than {LARGEST:,} bytes, and no text of that size is kept")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise click.UsageError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} is no UTF-8 text; save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise click.UsageError(f"{path}, line {line}: a zero byte is in it, so it is no text")
    return text
