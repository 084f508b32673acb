"""Text as it may be shown: control characters are written out, so that data never steers a terminal or a page.

A file name, a header or a value comes from outside. Printed as it is, an escape sequence in it clears a screen, moves
the cursor or renames the window, and a mark of writing direction turns a name around. Here such a character becomes
what a programmer would write for it (`\\x1b`). Everything else stays as it came.
"""

from __future__ import annotations

import re

# C0 without tab and line feed, DEL, C1, line and paragraph separators, marks of writing direction, the byte order mark,
# and lone surrogates: what `os.fsdecode` makes of bytes that are not UTF-8.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_LINE_UNSAFE = re.compile(f"[\t\n{_UNSAFE.pattern[1:]}")
_BYTE_SURROGATES = range(0xDC80, 0xDD00)
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def visible(text: str) -> str:
    """`text` with its control characters written out; line feeds and tabs stay."""
    return _UNSAFE.sub(_written, text)


def visible_line(text: str) -> str:
    """`text` in one line: line feeds and tabs are written out as well."""
    return _LINE_UNSAFE.sub(_written, text)


def json_visible(text: str) -> str:
    """A JSON document with the characters escaped that JSON itself lets through; it reads back as the same values."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _written(found: re.Match[str]) -> str:
    character = found[0]
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code in _BYTE_SURROGATES:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
