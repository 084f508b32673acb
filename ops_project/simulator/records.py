"""Reads an inbound file into records by its contract, so that single records can be changed and written back.

Unchanged records keep their bytes. If the file cannot be read as records, ValueError is raised.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ops_project.model.feed.feed import Contract, Feed
from ops_project.model.feed.file_format import Format


def read_bytes(path: Path) -> bytes:
    """The content of a file. A .gz file is unpacked."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.suffix == ".gz" else raw


def write_bytes(path: Path, content: bytes, *, compress: bool = True) -> None:
    """Replace a file by a rename. The modification time stays the same.

    The content of a .gz file is compressed first, without a timestamp.

    `compress`: False if the content is already compressed.
    """
    if compress and path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)
    stat = path.stat() if path.exists() else None
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(content)
    if stat is not None:
        os.utime(temporary, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    temporary.replace(path)


@dataclass
class Row:
    """One record. Its `fields` may be changed. If they are not changed, `raw` is written back."""

    fields: list[Any]
    raw: str | None = None
    original: tuple[Any, ...] = ()

    def copy(self) -> Row:
        return Row(list(self.fields), self.raw, self.original)

    @property
    def touched(self) -> bool:
        return self.raw is None or tuple(self.fields) != self.original


@dataclass
class Sheet:
    """A file as the names of its raw fields and its records."""

    format: Format
    names: list[str]
    rows: list[Row]
    head: str = ""
    """The text before the records, including the header line."""
    trailer: str | None = None
    trailer_pattern: str | None = None
    types: dict[str, pa.DataType] = field(default_factory=dict)
    """The types of the columns. Only Parquet files have them."""
    original_names: tuple[str, ...] = ()
    line_end: str = "\n"

    def column(self, name: str) -> int:
        """The position of a raw field. Raises ValueError if the file has no field of that name."""
        if name not in self.names:
            raise ValueError(f"the file has no field {name!r}; it has {', '.join(self.names)}")
        return self.names.index(name)

    @classmethod
    def read(cls, path: Path, feed: Feed, contract: Contract) -> Sheet:
        """Read a file by its contract."""
        form = contract.format
        if form.kind == "parquet":
            return _read_parquet(path, form)
        text = read_bytes(path).decode(form.encoding)
        if form.kind == "jsonl":
            return _read_jsonl(text, form)
        names = list(feed.raw_fields) or list(contract.raw_names.values())
        return _read_lines(text, form) if form.kind == "lines" else _read_csv(text, form, feed, names)

    def write(self, path: Path, *, recount: bool) -> None:
        """Write the records back. `recount`: whether a trailer gets the new number of records."""
        if self.format.kind == "parquet":
            write_bytes(path, _parquet(self))
            return
        parts = [self._head(), *(self._text(row) for row in self.rows)]
        if self.trailer is not None:
            parts.append(
                _with_count(self.trailer_pattern or "", self.trailer, len(self.rows)) if recount else self.trailer
            )
        write_bytes(path, "".join(parts).encode(self.format.encoding))

    def _head(self) -> str:
        if self.format.kind != "csv" or not self.format.header or tuple(self.names) == self.original_names:
            return self.head
        above = "".join(self.head.splitlines(keepends=True)[:-1])
        return above + self._csv_line(self.names)

    def _text(self, row: Row) -> str:
        if not row.touched:
            return row.raw or ""
        if self.format.kind == "jsonl":
            return json.dumps(dict(zip(self.names, row.fields, strict=False)), separators=(",", ":")) + self.line_end
        if self.format.kind == "lines":
            return str(row.fields[0]) + self.line_end
        return self._csv_line(row.fields)

    def _csv_line(self, fields: list[Any]) -> str:
        sink = io.StringIO()
        csv.writer(sink, lineterminator=self.line_end, **_dialect(self.format)).writerow(
            ["" if value is None else value for value in fields]
        )
        return sink.getvalue()


def _dialect(form: Format) -> dict[str, Any]:
    return {
        "delimiter": form.delimiter,
        "quotechar": form.quote,
        "quoting": csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
        "escapechar": form.escape or (None if form.quote else "\\"),
        "doublequote": form.escape is None,
    }


def _read_csv(text: str, form: Format, feed: Feed, names: list[str]) -> Sheet:
    lines = io.StringIO(text, newline="").readlines()
    head = lines[: form.skip_lines]
    body = lines[form.skip_lines :]
    trailer = None
    if feed.trailer is not None and body and re.fullmatch(feed.trailer.pattern, body[-1].rstrip("\r\n")):
        trailer = body.pop()
    reader = csv.reader(body, **_dialect(form))
    rows: list[Row] = []
    seen = 0
    for fields in reader:
        raw = "".join(body[seen : reader.line_num])
        seen = reader.line_num
        rows.append(Row(fields, raw, tuple(fields)))
    if form.header:
        if not rows:
            raise ValueError("the file has no header")
        first = rows.pop(0)
        names = list(first.fields)
        head.append(first.raw or "")
    return Sheet(
        format=form,
        names=names,
        rows=rows,
        head="".join(head),
        trailer=trailer,
        trailer_pattern=feed.trailer.pattern if feed.trailer else None,
        original_names=tuple(names),
        line_end="\r\n" if body and body[0].endswith("\r\n") else "\n",
    )


def _read_jsonl(text: str, form: Format) -> Sheet:
    lines = io.StringIO(text, newline="").readlines()
    records = [(json.loads(line), line) for line in lines if line.strip()]
    names = list(dict.fromkeys(name for record, _ in records for name in record))
    rows = []
    for record, line in records:
        fields = [record.get(name) for name in names]
        rows.append(Row(fields, line, tuple(fields)))
    return Sheet(form, names, rows, original_names=tuple(names))


def _read_lines(text: str, form: Format) -> Sheet:
    lines = io.StringIO(text, newline="").readlines()
    rows = [Row([line.rstrip("\r\n")], line, (line.rstrip("\r\n"),)) for line in lines[form.skip_lines :]]
    return Sheet(form, ["line"], rows, "".join(lines[: form.skip_lines]), original_names=("line",))


def _read_parquet(path: Path, form: Format) -> Sheet:
    table = pq.read_table(path)
    columns = [column.to_pylist() for column in table.columns]
    rows = [Row(list(fields)) for fields in zip(*columns, strict=True)]
    types = {name: table.schema.field(name).type for name in table.column_names}
    return Sheet(form, list(table.column_names), rows, types=types, original_names=tuple(table.column_names))


def _parquet(sheet: Sheet) -> bytes:
    arrays = {}
    for index, name in enumerate(sheet.names):
        values = [row.fields[index] for row in sheet.rows]
        try:
            arrays[name] = pa.array(values, type=sheet.types.get(name))
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            # If the type of a column cannot hold a changed value, the whole column becomes text, as a careless program
            # would write it.
            arrays[name] = pa.array([None if value is None else str(value) for value in values], type=pa.string())
    sink = io.BytesIO()
    pq.write_table(pa.table(arrays), sink)
    return sink.getvalue()


def _with_count(pattern: str, line: str, rows: int) -> str:
    found = re.search(pattern, line.rstrip("\r\n"))
    if found is None:
        return line
    start, end = found.span("rows")
    return f"{line[:start]}{rows}{line[end:]}"
