r"""Replaces the control characters of a text by their usual escapes (`\x1b`). Everything else stays unchanged.

A file name, a header or a value comes from outside. If such a text is printed unchanged, its escape sequences can
clear a screen, move the cursor or rename the window. A mark of writing direction can reverse a name.
"""

from __future__ import annotations

import re

# C0 without tab and line feed, DEL, C1, line and paragraph separators, marks of writing direction, the byte order mark,
# and lone surrogates. `os.fsdecode` makes lone surrogates of bytes that are not UTF-8.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_LINE_UNSAFE = re.compile(f"[\t\n{_UNSAFE.pattern[1:]}")
_BYTE_SURROGATES = range(0xDC80, 0xDD00)
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def visible(text: str) -> str:
    """`text` with its control characters replaced by escapes. Line feeds and tabs stay."""
    return _UNSAFE.sub(_written, text)


def visible_line(text: str) -> str:
    """`text` in one line. Line feeds and tabs are replaced by escapes too."""
    return _LINE_UNSAFE.sub(_written, text)


def json_visible(text: str) -> str:
    """The JSON document with escapes in place of the control characters that JSON allows. Its values stay the same."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _written(found: re.Match[str]) -> str:
    character = found[0]
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code in _BYTE_SURROGATES:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
