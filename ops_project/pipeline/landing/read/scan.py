"""Reads the bytes of a file once, and finds the hash, encoding, lines and quotes. It does not use the parser that reads
the file later: DuckDB's reader silently loses lines after an unbalanced quote, so its count is not trusted. The result
says whether the fast reader may be used, and how many records it must give. No more than one chunk is in memory. If the
file is compressed or not UTF-8, the same pass writes the text as UTF-8 for the later readers.
"""

from __future__ import annotations

import codecs
import errno
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.read.encodings import OtherEncoding, Suspicion, may_be, unmarked_utf16
from ops_project.pipeline.landing.read.inflated import NotWhole, inflated
from ops_project.pipeline.landing.read.line_counter import CHUNK, LineCounter

# The limit on the compression ratio applies only above this size, because a small file may well consist of equal rows.
RATIO_FROM = 64 * 1024 * 1024
# This many bytes of disk stay free for the warehouse while a file is unpacked.
RESERVED = 128 * 1024 * 1024


@dataclass(frozen=True)
class Scan:
    """The result of one pass over the bytes."""

    sha256: str
    """Hash of the bytes as they were delivered."""
    size: int
    text: Path
    """The file with the text in UTF-8 without byte order mark. It is the delivered file itself, or a copy that was
    written.
    """
    text_size: int
    lines: int
    """The number of physical lines. The last line counts even without a line end."""
    newline: str
    r"""The character that ends a line. It is "\n" (also for "\r\n"). In a file without any "\n" it is "\r"."""
    plain: bool
    """True if each record is one line, and quotes stand only where the format allows them. The exact reader is then not
    needed.
    """
    nul: bool
    error: str | None
    """Why the bytes are not text, with the line of the fault."""
    delimiters: int = 0
    """The number of delimiters of a CSV, including those inside quotes."""
    other_encoding: OtherEncoding | None = None
    """Another encoding that the bytes seem to have, although they could be decoded with the declared one."""


class Undecodable(ValueError):
    """The bytes are not what the contract says.

    `lines`: the number of line ends in the chunk before the fault.
    """

    def __init__(self, message: str, lines: int = 0) -> None:
        super().__init__(message)
        self.lines = lines


class _HashingReader:
    """A binary file that computes a hash of everything that is read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.digest, self.size = file, hashlib.sha256(), 0

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        self.size += len(data)
        return data


def scan(path: Path, file_format: Format, spool: Path) -> Scan:
    """Scan `path`.

    `spool`: the place for the text; it is written only if the file itself cannot be read as the text.
    """
    encoding = codecs.lookup(file_format.encoding).name.removesuffix("-sig")  # A byte order mark is always accepted.
    with path.open("rb") as raw:
        head = raw.read(4)
        raw.seek(0)
        zipped = path.name.endswith(".gz") or (head[:2] == b"\x1f\x8b" and file_format.kind != "parquet")
        reader = _HashingReader(raw)
        marked = head[:3] == codecs.BOM_UTF8
        counter = LineCounter(file_format)
        error: str | None = None
        if file_format.kind == "parquet":
            while reader.read(CHUNK):
                pass
            return Scan(
                sha256=reader.digest.hexdigest(),
                size=reader.size,
                text=path,
                text_size=reader.size,
                lines=0,
                newline="\n",
                plain=False,
                nul=False,
                error=None,
            )
        # DuckDB accepts only paths in UTF-8.
        unnamable = any("\udc80" <= character <= "\udcff" for character in str(path))
        copy = zipped or marked or unnamable or encoding not in ("utf-8", "ascii")
        target = spool.open("wb") if copy else None
        try:
            suspicion = Suspicion(encoding)
            chunks = suspicion.watch(_unzipped(reader) if zipped else _chunks(reader))
            for chunk in _decoded(chunks, encoding, check_only=not copy):
                counter.feed(chunk)
                if zipped:
                    _check_unpacked(counter.size, reader.size, file_format)
                if counter.error is not None:
                    break
                if target is not None:
                    _check_room(spool, len(chunk), counter.size)
                    target.write(chunk)
        except Undecodable as problem:
            error = f"{problem} (line {counter.ended + problem.lines + 1})"
        finally:
            if target is not None:
                target.close()
        if error is not None or counter.error is not None:
            # The rest of a refused file is read only to compute the hash of the file. Its text is not kept.
            spool.unlink(missing_ok=True)
            while reader.read(CHUNK):
                pass
    counter.finish()
    if error is None:
        error = counter.error
    lines = counter.lines
    if error is not None:
        lines = max(lines, _raw_lines(path)) if not zipped else max(lines, 1)
    return Scan(
        sha256=reader.digest.hexdigest(),
        size=reader.size,
        text=spool if copy else path,
        text_size=counter.size,
        lines=lines,
        newline=counter.newline,
        plain=counter.plain,
        nul=counter.nul,
        error=error,
        delimiters=counter.delimiters,
        other_encoding=suspicion.verdict if error is None else None,
    )


def _check_unpacked(unpacked: int, packed: int, file_format: Format) -> None:
    if unpacked > file_format.max_unpacked_bytes:
        raise Undecodable(
            f"the file unpacks to more than {file_format.max_unpacked_bytes:,} bytes, the contract's max_unpacked_bytes"
        )
    if unpacked > RATIO_FROM and unpacked > file_format.max_ratio * packed:
        raise Undecodable(
            f"{packed:,} compressed bytes became {unpacked:,}, more than {file_format.max_ratio} times as many, the "
            "contract's max_ratio"
        )


def _check_room(spool: Path, needed: int, written: int) -> None:
    """Raises OSError (ENOSPC) before the disk is full, because the warehouse needs space beside the unpacked text."""
    free = shutil.disk_usage(spool.parent).free
    if free < needed + RESERVED:
        raise OSError(
            errno.ENOSPC,
            f"{free:,} bytes are free for the text of the file, of which {written:,} bytes have been read; "
            f"{RESERVED:,} are kept free",
        )


def _raw_lines(path: Path) -> int:
    """The number of physical lines in a file whose bytes are not text."""
    count, last = 0, b"\n"
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


def _chunks(reader: _HashingReader) -> Iterator[bytes]:
    while chunk := reader.read(CHUNK):
        yield chunk


def _unzipped(reader: _HashingReader) -> Iterator[bytes]:
    try:
        yield from inflated(reader, CHUNK)
    except NotWhole as error:
        raise Undecodable(f"not a whole gzip file: {error}") from None


def _decoded(chunks: Iterator[bytes], encoding: str, check_only: bool) -> Iterator[bytes]:
    """The chunks as UTF-8 without byte order mark."""
    utf8 = encoding in ("utf-8", "ascii")
    decoder = codecs.getincrementaldecoder("utf-8" if utf8 else encoding)()
    clean = first = True
    for chunk in chunks:
        if first and not utf8 and chunk[:3] == codecs.BOM_UTF8:
            raise Undecodable(f"the file begins with the byte order mark of utf-8, but the contract says {encoding}")
        wide = encoding.startswith(("utf-16", "utf-32"))
        if first and not wide and chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            raise Undecodable(f"the file begins with the byte order mark of utf-16, but the contract says {encoding}")
        if first and not wide and (unmarked := unmarked_utf16(chunk)) is not None:
            raise Undecodable(f"every second byte is 0, as in {unmarked}; the contract says {encoding}")
        if utf8 and clean and chunk.isascii():
            text = None
        else:
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                raise _undecodable(encoding, error) from None
            except UnicodeError as error:
                raise Undecodable(f"not {encoding}: {error}") from None
            clean = not decoder.getstate()[0]
            if encoding == "ascii":
                above = next(place for place, byte in enumerate(chunk) if byte > 127)
                raise Undecodable("not ascii: a byte above 127", _ends(chunk[:above].decode("ascii")))
        if first and text is not None and text[:1] == "\ufeff":
            text = text[1:]
            chunk = chunk[3:]
        first = False
        try:
            yield chunk if check_only or text is None else text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Undecodable(f"not {encoding}: {error.reason}", _ends(error.object[: error.start])) from None
    try:
        if rest := decoder.decode(b"", final=True):
            yield rest.encode("utf-8", "strict")
    except UnicodeError as error:
        raise Undecodable(f"not {encoding}: the last character is cut off ({error})") from None


def _undecodable(encoding: str, error: UnicodeDecodeError) -> Undecodable:
    before = bytes(error.object[: error.start])
    byte = error.object[error.start]
    hint = may_be(bytes(error.object)) if encoding in ("utf-8", "ascii") else ""
    return Undecodable(
        f"not {encoding}: byte 0x{byte:02x}: {error.reason}{hint}", _ends(before.decode(encoding, "ignore"))
    )


def _ends(text: str) -> int:
    """The number of line ends in a text. If the text has no LF, each CR counts as a line end."""
    return text.count("\n") or text.count("\r")
