"""Reads the text of a file that the user names."""

from __future__ import annotations

from pathlib import Path

import click

LARGEST = 10_000_000
"""The largest size of a file, in bytes. A text that a person wrote is far smaller."""


def text_of(path: Path) -> str:
    """The text in `path`. Raises UsageError if the file is not UTF-8 text, or is larger than LARGEST."""
    with path.open("rb") as opened:
        data = opened.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise click.UsageError(f"{path} holds more than {LARGEST:,} bytes, which is too large for a text")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise click.UsageError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8 text; save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise click.UsageError(f"{path}, line {line}: it contains a zero byte, so it is not a text")
    return text
