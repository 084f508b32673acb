"""Words without quotes stay texts where a contract compares texts. Elsewhere they are read as in YAML 1.2."""

from __future__ import annotations

import itertools

import pytest

from ops_project.model.document import ConfigError, Document
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

CASES = ["yes", "no", "on", "off", "true", "false", "null", "y", "n"]
WORDS = [
    *itertools.chain.from_iterable((word, word.upper(), word.capitalize()) for word in CASES),
    *("~", "010", "0o10", "0x1F", "0b11", "1_000", "1.10", "1e3", "+7", "-0", "007", "1:30", "01:30:00", ".5", "5."),
    *(".inf", ".NaN", "2026-1-5", "2026-11-01", "2026-11-01T10:00:00Z", "2026-11-01 10:00:00", "=", "<<"),
    "99999999999999999999999999.99",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_stays_as_it_is_written(word):
    feed = feed_of(
        TAKINGS
        + f"      answer: {{type: string, from: A, allowed: [SE, {word}], null_values: [{word}]}}\n"
        + f"      {'x' if word in ('<<', '=') else 'told'}: {{type: boolean, true_values: [{word}], false_values: [q]}}\n"
        + f"    format: {{null_values: [{word}]}}\n    raw_fields: [{word}]\n"
    )
    answer = feed.columns["answer"]
    assert (answer.allowed, answer.null_values) == (("SE", word), (word,))
    assert list(feed.columns.values())[-1].true_values == (word,)
    assert (feed.format.null_values, feed.raw_fields) == ((word,), (word,))


@pytest.mark.parametrize("word", [word for word in WORDS if word not in ("~", "<<", "=", "null", "NULL", "Null")])
def test_so_does_the_name_of_a_field(word):
    assert feed_of(TAKINGS + f"      answer: {{type: string, from: {word}}}\n").columns["answer"].source == word


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "y", "n", "true", "null"])
def test_a_column_may_be_called_so(word):
    feed = feed_of(TAKINGS.replace("key: id", f"key: [{word}]").replace("      id:", f"      {word}:"))
    assert next(iter(feed.columns)) == word and feed.key == (word,)


def test_bounds_keep_their_digits():
    feed = feed_of(TAKINGS + '      big: {type: "decimal(38,2)", min: 010, max: 99999999999999999999999999.99}\n')
    assert (feed.columns["big"].min, feed.columns["big"].max) == ("010", "99999999999999999999999999.99")


def test_norway_lands(tmp_path):
    home = Home(
        tmp_path, feed_of(TAKINGS.replace("name: {type: string}", "name: {type: string, allowed: [SE, NO, 010]}"))
    )
    home.put("takings_2026-11-01.csv", "id,name,amount,sold_at\n1,NO,1,\n2,SE,1,\n3,010,1,\n4,8,1,\n5,false,1,\n")
    home.land()
    assert home.bronze("name") == [("NO",), ("SE",), ("010",)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("010", 10), ("0o10", 8), ("0x1F", 31), ("1e3", 1000.0), ("true", True), ("False", False), ("~", None)],
        *[("no", "no"), ("ON", "ON"), ("01:30", "01:30"), ("1_000", "1_000"), ("-7", -7), ("1.5", 1.5), ("", None)],
    ],
)
def test_elsewhere_words_are_those_of_yaml_1_2(text, value):
    assert Document.parse(f"a: {text}\n", "x.yaml").data == {"a": value}


def test_yes_and_no_still_switch():
    assert feed_of(TAKINGS + "    enabled: no\n").enabled is False
    assert feed_of(TAKINGS + "    volume: {enabled: off}\n").volume.enabled is False


def test_half_a_character_is_refused_with_its_line():
    with pytest.raises(ConfigError, match=r"x.yaml:2: half of a surrogate pair"):
        Document.parse('a: 1\nb: "\\ud83d"\n', "x.yaml")
