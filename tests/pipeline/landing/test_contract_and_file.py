"""Names and patterns of a contract: columns without a position, patterns that the engine cannot compile, forms of
Unicode.
"""

from __future__ import annotations

import unicodedata

import pytest

from ops_project.model.document import ConfigError
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

ABC = """
    inbound: "takings_{date:%Y-%m-%d}.csv"
    raw_fields: RAW
    columns: {a: string, c: string}
"""


@pytest.mark.parametrize("raw", ["[b]", "[b, a]", "[a, b, c]"])
@pytest.mark.parametrize("kind", ["csv"])
def test_raw_fields_stand_wherever_they_stand(tmp_path, raw, kind):
    home = Home(tmp_path, feed_of(ABC.replace("RAW", raw)))
    home.put("takings_2026-11-01.csv", "a,b,c\n1,2,3\n")
    home.land()
    assert (home.open_findings(), home.bronze("a, c")) == ([], [("1", "3")])


@pytest.mark.parametrize(("raw", "header"), [("[b]", "c,b,a"), ("[b]", "b,c,a"), ("[a, b, c]", "b,a,c")])
def test_an_agreed_order_still_counts(tmp_path, raw, header):
    home = Home(tmp_path, feed_of(ABC.replace("RAW", raw)))
    values = {"a": "1", "b": "2", "c": "3"}
    home.put("takings_2026-11-01.csv", f"{header}\n{','.join(values[name] for name in header.split(','))}\n")
    [batch] = home.land().batches
    assert (batch.finding, home.bronze("a, c")) == ("schema_mismatch", [("1", "3")])
    assert "reordered" in batch.message


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)b", "(?!a)b", "(?<=a)b", "(a)\\1", "a++", "(?P<n>a)(?P=n)", "(?>a)", "(?(1)a|b)", "a{2000}", "\\Za"],
)
def test_a_pattern_that_the_engine_cannot_compile_is_refused_with_its_line(pattern):
    with pytest.raises(ConfigError, match=r"RE2|not a regular expression") as error:
        feed_of(TAKINGS + f"      code: {{type: string, pattern: '{pattern}'}}\n")
    assert error.value.problems[0].line > 8


@pytest.mark.parametrize(
    "pattern",
    ["[A-Z]{3}", r"[^@\s]+@[^@\s]+\.[^@\s]+", "(?i)abc", "(?:a|b)+", "(?P<n>a)", r"\p{L}+", "a{1,3}?", r"\d+\.\d{2}"],
)
def test_one_that_it_can_compile_is_taken(tmp_path, pattern):
    try:
        feed = feed_of(TAKINGS + f"      code: {{type: string, pattern: '{pattern}'}}\n")
    except ConfigError as error:
        assert "\\p" in str(error)  # Python does not know this pattern.
        return
    home = Home(tmp_path, feed)
    home.put("takings_2026-11-01.csv", "id,name,amount,sold_at,code\n1,a,1,,\n")
    assert [batch.status for batch in home.land().batches] == ["loaded"]


@pytest.mark.parametrize("pattern_form", ["NFC", "NFD"])
@pytest.mark.parametrize("name_form", ["NFC", "NFD"])
def test_a_name_in_either_form_of_unicode_matches(tmp_path, pattern_form, name_form):
    pattern = unicodedata.normalize(pattern_form, "umsätze_{date:%Y-%m-%d}_{part}.csv")
    home = Home(tmp_path, feed_of(TAKINGS.replace("takings_{date:%Y-%m-%d}{revision}.csv", pattern)))
    for content in ("1,a,1,\n", "1,b,2,\n"):
        home.put(
            unicodedata.normalize(name_form, "umsätze_2026-11-01_Zürich.csv"), f"id,name,amount,sold_at\n{content}"
        )
        home.land()
    assert home.left() == [] and home.bronze("name") == [("b",)]
    home.put("umsätze_2026-11-01_Zürich.csv", "id,name,amount,sold_at\n1,c,3,\n")
    home.land()
    assert home.bronze("name") == [("c",)]
