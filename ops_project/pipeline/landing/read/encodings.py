"""Finds files that can be decoded as the contract says although they are written in another encoding.

In a single-byte encoding, every byte is a character. So a UTF-8 file that is read as cp1252 raises no error, but
`Müller` becomes `MÃ¼ller`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

# The number of bytes in which signs of UTF-16 are looked for, and the least number of characters that prove it.
SHOWING, LEAST_SHOWING = 40, 4


@dataclass(frozen=True)
class OtherEncoding:
    """The encoding that a file seems to have instead of the declared one."""

    encoding: str
    line: int
    """The line of the first character that shows this encoding."""
    characters: int
    read: str
    """The first character that shows the other encoding, in the form in which the contract reads it."""
    meant: str
    """The same character in the form that the source meant."""

    def words(self, expected: str) -> str:
        """The words of a message about this encoding. `expected`: the encoding that the contract declares."""
        return (
            f"its bytes are {self.encoding}, but the contract says {expected}, as {self.characters} characters show: "
            f"the first, on line {self.line}, is read as {self.read!r} instead of {self.meant!r}. The file was loaded "
            "as the contract says; correct the contract's format.encoding, or ask the source for the other encoding"
        )


def may_be(data: bytes) -> str:
    """A hint for bytes that are not UTF-8: another encoding that fits, or an empty text."""
    for encoding in ("cp1252", "latin-1"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return f"; it may be {encoding}"
    return ""


def unmarked_utf16(head: bytes) -> str | None:
    """The variant of UTF-16 in which the text is written, if it has no byte order mark. None if the text is not
    UTF-16.
    """
    even, odd = head[:SHOWING:2], head[1:SHOWING:2]
    if len(odd) < LEAST_SHOWING:
        return None
    if not any(odd) and all(even):
        return "utf-16-le"
    return "utf-16-be" if not any(even) and all(odd) else None


class Suspicion:
    """Looks for signs of another encoding in the bytes of a file. If the declared encoding is ASCII or Unicode, it does
    nothing.
    """

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.idle = encoding.startswith(("utf", "ascii"))
        self.controls_are_signs = encoding.startswith("iso8859") or encoding == "latin-1"
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.lines = self.characters = self.signs = 0
        self.first: tuple[int, str] | None = None
        self.sign: tuple[int, int] | None = None
        self.valid = True

    def watch(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Look at each chunk, and yield it unchanged."""
        if self.idle:
            yield from chunks
            return
        for chunk in chunks:
            if not chunk.isascii() or self.decoder.getstate()[0]:
                self._look(chunk)
            self.lines += chunk.count(b"\n")
            yield chunk
        try:
            self.decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            self.valid = False

    def _look(self, chunk: bytes) -> None:
        if self.valid:
            try:
                text = self.decoder.decode(chunk)
            except UnicodeDecodeError:
                self.valid = False
            else:
                self._look_at_text(text)
        if self.controls_are_signs and not self.valid:
            signs = [place for place, byte in enumerate(chunk) if 0x80 <= byte <= 0x9F and byte != 0x85]
            self.signs += len(signs)
            if signs and self.sign is None:
                self.sign = (self.lines + chunk[: signs[0]].count(b"\n") + 1, chunk[signs[0]])

    def _look_at_text(self, text: str) -> None:
        wide = sum(character > "\x7f" for character in text)
        self.characters += wide
        if wide and self.first is None:
            place = next(index for index, character in enumerate(text) if character > "\x7f")
            self.first = (self.lines + text.count("\n", 0, place) + 1, text[place])

    @property
    def verdict(self) -> OtherEncoding | None:
        """The encoding that the file seems to have instead of the declared one. None if there is no sign of another
        encoding.
        """
        if self.valid and self.first is not None:
            line, meant = self.first
            read = meant.encode("utf-8").decode(self.encoding, "replace")
            return OtherEncoding("utf-8", line, self.characters, read, meant)
        if self.sign is not None:
            line, byte = self.sign
            data = bytes([byte])
            meant = data.decode("cp1252", "replace")
            return OtherEncoding("cp1252", line, self.signs, data.decode(self.encoding, "replace"), meant)
        return None
