"""Each mistake in a contract is an error when it is loaded, with its line and what would be right."""

from __future__ import annotations

from datetime import date

import pytest

from ops_project.model.document import ConfigError
from ops_project.model.feed.inbound import compile_inbound
from tests.pipeline.landing.home import TAKINGS, feed_of, feeds_of

MISTAKES = [
    ("    colums: {a: string}\n", "unknown key 'colums'"),
    ("    format: {delimitr: ';'}\n", "unknown key 'delimitr'.*valid: .*delimiter"),
    ("    format: {encoding: utf-9}\n", "encoding 'utf-9' is not known"),
    ("    format: {kind: jsonl, delimiter: ';'}\n", "delimiter: only for kind csv, not jsonl"),
    ("    format: {kind: lines, pattern: '(a'}\n", "not a regular expression"),
    ("    format: {kind: lines, pattern: 'a'}\n", "no named group"),
    ("    format: {decimal: ',', thousands: ','}\n", "same character"),
    ("    control: {file: count.ctl}\n", "must hold {name} or {stem}"),
    ("    trailer: {pattern: 'TRL'}\n", "no group for the count"),
    ("    business_date: sold\n", "business_date 'sold' is neither.*valid: file, sold_at"),
    ("    expected: sometimes\n", "'sometimes' is not understood; valid: daily"),
    ("    expected: [monday, funday]\n", "'funday' is not a weekday"),
    ("    expected: {cron: '0 6 * *'}\n", "has 4 fields"),
    ("    arrival: {timezone: Mars/Olympus}\n", "timezone 'Mars/Olympus' is not known"),
    ("    closed: {yearly: ['13-01']}\n", "'13-01' is not MM-DD"),
    ("    versions: [{version: 2, effective: 2026-01-01, drop: [colour]}]\n", "drop 'colour' is not a column"),
    ("    versions: [{version: 2, effective: 2026-01-01, drop: [id]}]\n", "version 2: key column 'id' is not a column"),
    ("    versions: [{version: 1, effective: 2026-01-01}]\n", "greater than or equal to 2"),
    ("    replaces_by: id\n", "must be a part of the key; valid: some, not all, of id"),
    ("    replaces_by: sold_at\n    extract: full\n", "replaces_by is for a delta"),
    ("    absent_keys: end\n", "absent_keys: end needs extract: full"),
    ("      colour: {type: text}\n", "type 'text' is not known; valid: string"),
    ("      colour: {type: 'decimal(40,2)'}\n", "precision is 1 to 38"),
    ("      colour: {type: string, from: a, expression: b}\n", "from and expression exclude each other"),
    ("      colour: {type: string, format: '%Y'}\n", "format is for date"),
    ("      colour: {type: string, min: 1}\n", "min is for numbers"),
    ("      colour: {type: integer, min: low}\n", "min 'low' is not a number"),
    ("      colour: {type: string, accept: [zeros]}\n", "accept zeros means nothing for string"),
    ("      colour: {type: string, pattern: '('}\n", "not a regular expression"),
    ("      _line: {type: integer}\n", "'_line' is reserved"),
    ("      Colour: {type: string}\n", "must be lower case"),
]


@pytest.mark.parametrize(("addition", "message"), MISTAKES, ids=[case[1] for case in MISTAKES])
def test_mistakes(addition, message):
    with pytest.raises(ConfigError, match=message) as error:
        feed_of(TAKINGS + addition)
    assert all(problem.line > 2 for problem in error.value.problems)


def test_extracts_in_parts_end_no_key():
    body = TAKINGS.replace("{revision}", "_{part}") + "    absent_keys: end\n    extract: full\n"
    with pytest.raises(ConfigError, match=r"extracts of one file.*valid: one pattern without"):
        feed_of(body)


@pytest.mark.parametrize(
    "pattern",
    ["a/b.csv", "", "{dat}.csv", "{date:%Q}.csv", "{date}{date}.csv", "a{date", "{date:%Y-%m-%d}-{date:%H}.csv"],
)
def test_patterns_that_are_none(pattern):
    with pytest.raises(ValueError, match="inbound pattern"):
        compile_inbound(pattern)


@pytest.mark.parametrize(
    ("pattern", "name", "day", "part"),
    [
        ("a_{date:%Y%m%d}.csv", "a_20261101.csv", date(2026, 11, 1), ""),
        ("a_{date:%Y%m%d}.csv", "a_20261101.csv.gz", date(2026, 11, 1), ""),
        ("a_{date:%d-%b-%Y}_*.csv", "a_01-Nov-2026_north.csv", date(2026, 11, 1), "north"),
        ("a_{date:%Y-%m-%d}{revision}.csv", "a_2026-11-01_v2.csv", date(2026, 11, 1), ""),
        ("a_{part}_{date}.csv", "a_x_2026-11-01.csv", date(2026, 11, 1), "x"),
        ("a?.csv", "a1.csv", None, "1"),
    ],
)
def test_patterns(pattern, name, day, part):
    named = compile_inbound(pattern).match(name)
    assert named is not None and (named.date, named.part) == (day, part)


@pytest.mark.parametrize("name", ["a_20261301.csv", "a_2026110.csv", "b_20261101.csv", "a_20261101.csv.part"])
def test_names_that_do_not_match(name):
    assert compile_inbound("a_{date:%Y%m%d}.csv").match(name) is None


def test_defaults_are_merged_into_every_feed():
    feeds = feeds_of(
        """
  a: {inbound: a.csv, columns: {x: integer}, format: {quote: null}}
  b: {inbound: b.csv, columns: {x: integer}, owners: [team:b]}
defaults:
  owners: [team:a]
  format: {delimiter: ";"}
"""
    )
    assert (feeds["a"].format.delimiter, feeds["a"].format.quote, feeds["a"].owners) == (";", None, ("team:a",))
    assert (feeds["b"].format.quote, feeds["b"].owners) == ('"', ("team:b",))


def test_yaml_words_stay_texts():
    feed = feed_of(TAKINGS + "      answer: {type: string, allowed: [yes, 1, 2026-11-01]}\n")
    assert feed.columns["answer"].allowed == ("yes", "1", "2026-11-01")
