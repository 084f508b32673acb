"""The fast reader and the exact one give the same rows, reasons and lines."""

from __future__ import annotations

import dataclasses
import importlib

import pytest

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

examine = importlib.import_module("ops_project.pipeline.landing.examine.examine")
HEAD = "id,name,amount,sold_at\n"
FILES = {
    "plain": HEAD + "".join(f"{n},name {n % 9},{n}.5,2026-11-01 10:00:00\n" for n in range(500)),
    "quoted": HEAD + "".join(f'"{n}","a ""{n}"", b","{n}.5",""\n' for n in range(500)),
    "bad rows": HEAD + "".join(f"{n % 450},x,{'no' if n % 7 == 0 else n},\n" for n in range(500)),
    "CRLF": (HEAD + "".join(f"{n},é {n % 9},{n}.5,\n" for n in range(500))).replace("\n", "\r\n"),
    "empty ends": HEAD + "".join(f'{n},"a, b",{n}.5,{chr(34) * (n % 2 * 2)}\n' for n in range(500)),
    "blanks": HEAD + " 1 , a ,1.5 ,\n2,,,\n3, ,,\n",
}
FILTERED = (
    TAKINGS
    + """    filter: "name IS NULL OR name <> 'x' OR CAST(id AS INTEGER) > 3"
    rules: {small: "amount < 400"}
"""
)


@pytest.mark.parametrize("yaml", [TAKINGS, FILTERED], ids=["columns", "filter and rules"])
@pytest.mark.parametrize("name", FILES)
def test_both_readers_agree(tmp_path, monkeypatch, name, yaml):
    seen, ways = [], []
    for way in ("fast", "exact"):
        home = Home(tmp_path / way, feed_of(yaml))
        home.put("takings_2026-11-01.csv", FILES[name])
        if way == "exact":
            module = importlib.import_module("ops_project.pipeline.landing.workbench")
            scan = module.scan
            monkeypatch.setattr(
                module, "scan", lambda *given, scan=scan: dataclasses.replace(scan(*given), plain=False)
            )
        with monkeypatch.context() as patch:
            stage = examine._read
            patch.setattr(
                examine, "_read", lambda c, source, s, read=stage: (read(c, source, s), ways.append(source.fast))[0]
            )
            home.land()
        seen.append(
            (
                home.bronze("* EXCLUDE (_batch_id)"),
                home.rows("SELECT line, raw_text, column_name, reason, reasons FROM ops.quarantine ORDER BY line"),
                home.rows("SELECT rows_in, rows_loaded, rows_quarantined, rows_filtered, message FROM ops.batches"),
            )
        )
    assert ways == [True, False]
    assert seen[0] == seen[1]


def test_a_count_that_disagrees_sends_the_file_to_the_exact_reader(tmp_path, monkeypatch):
    # The fast reader is made to lose a line silently, which an unbalanced quote can really cause.
    home = Home(tmp_path, feed_of(TAKINGS))
    home.put("takings_2026-11-01.csv", FILES["plain"])
    source = importlib.import_module("ops_project.pipeline.landing.read.source").Source
    reader = source._reader
    monkeypatch.setattr(source, "_reader", lambda self: f"(SELECT * FROM {reader(self)} LIMIT 499)")
    [batch] = home.land().batches
    assert (batch.rows_in, batch.rows_loaded) == (500, 500)
    assert home.bronze("_line")[-1] == (501,)


@pytest.mark.parametrize("end", [",", ",,", ',""'])
@pytest.mark.parametrize("name", ['"a, b"', "a"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_surplus_empty_fields_at_the_end_of_a_line_are_not_overlooked(tmp_path, end, name, newline):
    home = Home(tmp_path, feed_of(TAKINGS))
    text = HEAD + f"1,{name},1.00,\n2,{name},1.00,{end}\n3,{name},1.00,2026-11-01 10:00:00{end}\n"
    home.put("takings_2026-11-01.csv", text.replace("\n", newline))
    home.land()
    assert home.bronze("id") == [(1,)]
    assert home.rows("SELECT line FROM ops.quarantine ORDER BY line") == [(3,), (4,)]
