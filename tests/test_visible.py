"""Control characters are written out; all other characters stay unchanged."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ops_project.visible import json_visible, visible, visible_line

HARMFUL = {chr(code) for code in [*range(32), *range(127, 160)]} - {"\n", "\t"}
TEXT = st.text(st.characters(), max_size=30)


def test_an_escape_sequence_is_written_out() -> None:
    assert visible("a\x1b[2Jb\u202egpj") == "a\\x1b[2Jb\\u202egpj"
    assert visible(b"caf\xe9".decode("utf-8", "surrogateescape")) == "caf\\xe9"


def test_what_looks_like_markup_stays() -> None:
    for text in ("[/b]", "root:x:0:0", "10:100:00", ":100:", "[click]", "<b>&amp;</b>", "|a|", "日本 🙂"):
        assert visible_line(text) == text


@given(TEXT)
def test_nothing_harmful_is_left(text: str) -> None:
    assert not HARMFUL & set(visible(text))
    assert not {*HARMFUL, "\n", "\t"} & set(visible_line(text))
    visible(text).encode("utf-8")


@given(TEXT)
def test_json_reads_back_as_it_was(text: str) -> None:
    written = json_visible(json.dumps([text], ensure_ascii=False))
    assert json.loads(written) == [text]
    assert not HARMFUL & set(written)
    written.encode("utf-8")
