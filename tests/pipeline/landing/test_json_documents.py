"""JSON documents: the same rows, findings and rules as for JSON lines, whether on one line or on many."""

from __future__ import annotations

import gzip
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops_project.model.document import ConfigError
from ops_project.model.feed.file_format import Format
from ops_project.pipeline.landing.drafting import feed_of as drafted_feed
from ops_project.pipeline.landing.drafting import make_draft
from ops_project.pipeline.landing.read import json_document
from ops_project.pipeline.landing.read.json_document import Elements
from ops_project.pipeline.landing.read.scan import Undecodable
from ops_project.pipeline.landing.result import Batch
from tests.pipeline.landing.home import NOW, Home, feed_of

FEED = """
    inbound: "takings_{date:%Y-%m-%d}.KIND"
    format: {kind: KIND}
    drift: {extra: load}
    columns:
      id: {type: bigint, required: true}
      amount: {type: "decimal(20,10)"}
      city: {type: string, from: address.city}
      tags: {type: string}
"""
GOOD = [
    '{"id": 12345678901234567, "amount": 1.1000000001, "address": {"city": "Köln"}, "tags": ["a", 1.50]}',
    '{"id": 2, "amount": "3.5", "address": null, "tags": "a ] } [ \\" b"}',
    '{"id": 3, "amount": null, "address": {"city": "Oslo"}, "tags": null}',
]
BAD = ['{"id": 4, "id": 5}', '{"id": 6, "tags": "x \\ud83d"}', "[1]", "7", '{"id": nope}', '{"id": "no number"}']


def landed(root: Path, kind: str, content: bytes | str, yaml: str = FEED, name: str = "") -> tuple[Home, Batch]:
    root.mkdir(exist_ok=True)
    home = Home(root, feed_of(yaml.replace("KIND", kind)))
    home.put(name or f"takings_2026-11-01.{kind}", content)
    [batch] = home.land().batches
    return home, batch


def facts(home: Home, batch: Batch) -> dict[str, Any]:
    """The facts that landing reports about a file, without line numbers."""
    return {
        "rows": home.bronze("id, amount, city, tags"),
        "reasons": [reason for (reason,) in home.rows("SELECT reason FROM ops.quarantine ORDER BY line")],
        "batch": (batch.status, batch.finding, batch.rows_in, batch.rows_loaded, batch.rows_quarantined),
    }


@pytest.mark.parametrize("separators", [(",", "[", "]"), (" ,\r\n\t", "\n\n [", " \n] \n")])
def test_a_document_gives_the_rows_and_the_quarantine_of_json_lines(
    tmp_path: Path, separators: tuple[str, str, str]
) -> None:
    records = [*GOOD, *GOOD, *BAD]
    between, before, after = separators
    document = landed(tmp_path / "document", "json", before + between.join(records) + after)
    lines = landed(tmp_path / "lines", "jsonl", "\n".join(records))
    assert facts(*document) == facts(*lines)
    home, batch = document
    assert (batch.rows_loaded, batch.rows_quarantined) == (6, 6)
    assert home.bronze("_line, id, amount, tags")[0] == (1, 12345678901234567, Decimal("1.1000000001"), '["a",1.50]')
    assert [line for (line,) in home.rows("SELECT line FROM ops.quarantine ORDER BY line")] == [7, 8, 9, 10, 11, 12]


@pytest.mark.parametrize(
    "address", ['{"city": "Oslo"}', '{"town": "Oslo"}', '["Oslo"]', '"Oslo"', "7", "null", "{}", '{"city": 1, "x": 2}']
)
def test_nested_fields_follow_the_rules_of_json_lines(tmp_path: Path, address: str) -> None:
    records = [f'{{"id": {n}, "amount": 1, "tags": null, "address": {address}}}' for n in range(5)]
    _, document = landed(tmp_path / "document", "json", f"[{','.join(records)}]")
    _, lines = landed(tmp_path / "lines", "jsonl", "\n".join(records))
    assert (document.status, document.finding) == (lines.status, lines.finding)
    assert (document.message or "").replace(".json", "") == (lines.message or "").replace(".jsonl", "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('[{"id": 1}, {"id": 2', "ends in the middle"),
        ('[{"id": 1},\n{"id": "a', "ends in the middle (line 2)"),
        ('[{"id": 1}', "ends in the middle"),
        ('[{"id": 1},]', "a comma stands before ]"),
        ('[{"id": 1} {"id": 2}]', "a comma or ] is expected"),
        ('[{"id": 1]}', "brackets do not match"),
        ('{"id": 1}\n{"id": 2}', "of kind jsonl"),
        ('"id"', "is not an array of objects"),
        ("[" * 5_000, "ends in the middle"),
    ],
)
def test_a_document_that_is_not_whole_is_refused(tmp_path: Path, content: str, words: str) -> None:
    home, batch = landed(tmp_path, "json", content)
    assert (batch.status, batch.finding) == ("rejected", "data_invalid")
    assert words in (batch.message or "")
    assert home.bronze() == [] and home.left() == []


def test_a_record_that_is_nested_too_deeply_costs_itself_alone(tmp_path: Path) -> None:
    deep = '{"id": 9, "tags": ' + "[" * 100_000 + "]" * 100_000 + "}"
    home, batch = landed(tmp_path, "json", f"[{','.join([*GOOD, deep])}]")
    assert (batch.status, batch.rows_loaded, batch.rows_quarantined) == ("loaded", 3, 1)
    assert "nested too deep" in home.rows("SELECT reason FROM ops.quarantine")[0][0]


def test_records_that_lie_deeper_are_read_where_the_contract_says(tmp_path: Path) -> None:
    yaml = FEED.replace("{kind: KIND}", "{kind: KIND, records: answer.items}")
    body = f'{{"page": {{"n": [1]}}, "answer": {{"x": "]", "items": [{",".join(GOOD)}], "y": {{}}}}, "z": null}}'
    _, batch = landed(tmp_path / "good", "json", body, yaml)
    assert (batch.status, batch.rows_loaded) == ("loaded", 3)
    for number, (content, words) in enumerate(
        [
            ('{"page": 1}', "has no key 'answer'"),
            ('{"answer": [1]}', "`answer` is not an object"),
            ('{"answer": {"items": {}}}', "`answer.items` is not an array"),
            ('{"answer": {"items": []}', "ends in the middle"),
        ]
    ):
        _, batch = landed(tmp_path / str(number), "json", content, yaml)
        assert batch.status == "rejected" and words in (batch.message or ""), batch.message


def test_compressed_and_in_another_encoding(tmp_path: Path) -> None:
    body = f"[{','.join(GOOD)}]".encode("utf-16")
    yaml = FEED.replace("{kind: KIND}", "{kind: KIND, encoding: utf-16}").replace('.KIND"', '.json.gz"')
    home, batch = landed(tmp_path, "json", gzip.compress(body), yaml, "takings_2026-11-01.json.gz")
    assert batch.rows_loaded == 3 and home.bronze("city")[0] == ("Köln",)


def test_a_line_may_be_longer_than_a_record_and_a_record_may_not(tmp_path: Path) -> None:
    yaml = FEED.replace("{kind: KIND}", "{kind: KIND, max_record_bytes: 1024}")
    _, batch = landed(tmp_path / "line", "json", f"[{','.join(GOOD * 40)}]", yaml)
    assert batch.rows_loaded == 120
    long = '{"id": 1, "tags": "' + "x" * 2_000 + '"}'
    _, batch = landed(tmp_path / "record", "json", f"[{GOOD[0]},{long}]", yaml)
    assert batch.status == "rejected" and "a record is longer than 1024 characters" in (batch.message or "")


def test_an_empty_array_is_a_day_without_records(tmp_path: Path) -> None:
    home = Home(tmp_path, feed_of(FEED.replace("KIND", "json")))
    for day in (1, 2):
        home.put(f"takings_2026-11-0{day}.json", "[]")
    assert [(batch.status, batch.rows_in) for batch in home.land().batches] == [("loaded", 0), ("loaded", 0)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{kind: json, skip_lines: 1}", "a JSON document has none"),
        ("{kind: json, delimiter: ';'}", "only for kind csv"),
        ("{kind: jsonl, records: items}", "only for kind json"),
        ("{kind: json, records: a..b}", "neither a key"),
    ],
)
def test_keys_that_mean_nothing_are_refused(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        feed_of(FEED.replace("{kind: KIND}", text))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), max_size=5), st.integers(1, 40), st.booleans()
)
def test_any_document_is_cut_as_python_reads_it(records: list[Any], portion: int, indented: bool) -> None:
    whole, json_document.PORTION = json_document.PORTION, portion
    try:
        text = json.dumps(records, indent=1 if indented else None, ensure_ascii=False)
        cut = list(Elements(io.StringIO(text), Format(kind="json")))
        assert [json.loads(item) for item in cut] == records
        for end in {1, len(text) // 3, len(text) // 2, len(text) - 1}:
            with pytest.raises(Undecodable):
                list(Elements(io.StringIO(text[:end]), Format(kind="json")))
    finally:
        json_document.PORTION = whole


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        ('[{"id": 1, "user": {"n": 5}}, {"id": 2, "user": {"n": 6}}]', {"kind": "json"}, ""),
        ('[\n {"id": 1, "user": {"n": 5}},\n {"id": 2, "user": null}\n]\n', {"kind": "json"}, ""),
        (
            '{"next": null, "data": {"rows": [{"id": 1, "user": {"n": 5}}, {"id": 2}]}}',
            {"kind": "json", "records": "data.rows"},
            "records: data.rows, because the longest array of objects is there",
        ),
        ('{"id": 1, "user": {"n": 5}}\n{"id": 2, "user": {"n": 6}}\n', {"kind": "jsonl"}, ""),
    ],
)
def test_a_draft_reads_the_document_as_it_is(tmp_path: Path, content: str, form: dict[str, str], said: str) -> None:
    path = tmp_path / "things.json"
    path.write_text(content)
    found = make_draft(path, "shop", "things", NOW)
    feed = drafted_feed(found.proposal.yaml(), "things")
    assert feed.format.model_dump(include=set(form)) == form
    assert (feed.key, feed.columns["user_n"].source) == (("id",), "user.n")
    assert [row["id"] for row in found.rows] == ["1", "2"]
    assert any(said in doubt for doubt in found.proposal.doubts) or not said


def test_a_document_that_is_cut_off_cannot_be_drafted(tmp_path: Path) -> None:
    path = tmp_path / "things.json"
    path.write_text('[{"id": 1}, {"id": ')
    with pytest.raises(ValueError, match=r"things\.json is not a complete JSON document: .*cut off"):
        make_draft(path, "shop", "things", NOW)
