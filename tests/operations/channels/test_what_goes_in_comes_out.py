"""Each receiver shows exactly the text of an alert, with control characters written out."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ops_project.defs.shared import bronze
from ops_project.operations.alerting.rendering.slack import UNSEEN, as_slack
from ops_project.operations.channels.console import ConsoleSender
from ops_project.operations.channels.email import compose
from ops_project.operations.channels.file import FileSender
from ops_project.operations.ledger.outbox import Message
from ops_project.pipeline.landing.result import Finding, LandingResult
from ops_project.visible import visible, visible_line
from tests.operations.channels.messages import message

ODD = (
    "\x1b[2J\x07",
    "[/b] [click]",
    "root:x:0:0",
    "10:100:00",
    ":100:",
    "a|b\\|c",
    "<b>&amp;</b>",
    "*bold* _it_ `c`",
    "\u202egpj.exe",
    "caf\udce9",
    "\x85\u2028",
    "~x~ # ![a](http://b)",
    "日本 🙂",
)
TEXT = st.text(max_size=30) | st.lists(st.sampled_from(ODD), max_size=3).map(" ".join)
every = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Message:
    return message(tmp_path_factory.mktemp("home"))


def carrying(plain: Message, text: str) -> Message:
    payload: dict[str, Any] = json.loads(json.dumps(plain.payload))
    payload["subject"] = f"begin {text} end"
    for alert in payload["alerts"]:
        alert["message"] = alert["summary"] = alert["check"] = f"begin {text} end"
    return replace(plain, payload=payload)


def wanted(text: str) -> str:
    return f"begin {visible(text)} end"


@every
@given(text=TEXT)
@example(text=" ".join(ODD))
def test_email(plain: Message, text: str) -> None:
    email = compose(carrying(plain, text), "ops@example.com")
    data = email.as_bytes()
    plain_part, html_part = (part.get_content() for part in email.walk() if part.get_content_maintype() == "text")
    assert wanted(text) in plain_part.replace("\r\n", "\n")
    assert wanted(text) in unescape(re.sub(r"</?[a-z][^<>]*>", "", html_part))
    assert not HARMFUL.search(plain_part + html_part) and data
    assert str(email["Subject"]) == visible_line(" ".join(f"begin {text} end".split()))


@every
@given(text=TEXT)
@example(text=" ".join(ODD))
def test_slack(plain: Message, text: str) -> None:
    body = as_slack(carrying(plain, text).payload)
    json.dumps(body, ensure_ascii=False).encode("utf-8")
    header = body["blocks"][0]["text"]
    assert header["emoji"] is False and header["text"].startswith(wanted(text)[:140])
    sections = "\n".join(b["text"]["text"] for b in body["blocks"] if b["type"] == "section")
    check = re.search(r"\*Check:\* (begin .*?end)(?=\n\*[A-Z])", sections, re.S)
    assert check is not None
    assert unescape_slack(check[1]) == wanted(text)
    assert not re.search(r":[a-z0-9_+'-]+:", check[1]), "no text becomes an emoji"
    assert not re.search(r"<[^>]*>", check[1]), "no text becomes a link"


def unescape_slack(text: str) -> str:
    whole = re.sub(rf"([:*_~`]){UNSEEN}", r"\1", text)
    return whole.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@every
@given(text=TEXT.filter(lambda text: not set("\r\n") & set(text)))
@example(text=" ".join(ODD))
def test_file(plain: Message, text: str, tmp_path: Path) -> None:
    sent = carrying(plain, text)
    FileSender(tmp_path).send(sent)
    newest = (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").removesuffix("\n").rpartition("\n")[2]
    assert not HARMFUL.search(newest)
    assert json.loads(newest)["alerts"][0]["message"] == f"begin {text} end"
    page = next(tmp_path.glob("alert-*.md")).read_text(encoding="utf-8")
    assert not HARMFUL.search(page)
    [row] = [line for line in page.splitlines() if line.startswith("| Check |")]
    cell = row.removeprefix("| Check | ").removesuffix(" |")
    assert not re.search(r"(?<!\\)(\\\\)*\|", cell), "no bar ends the cell"
    assert unescape(re.sub(r"\\([\\`*_{}\[\]#|~])", r"\1", cell)) == wanted(text)


@every
@given(text=TEXT)
@example(text=" ".join(ODD) + "\n\r")
def test_console(plain: Message, text: str) -> None:
    stream = io.StringIO()
    sent = carrying(plain, text)
    ConsoleSender(stream).send(sent)
    lines = stream.getvalue().split("\n")[:-1]
    assert len(lines) == len(sent.payload["alerts"]), "one line for each alert, whatever it says"
    assert all(visible_line(f"begin {text} end") in line for line in lines)
    assert not HARMFUL.search(stream.getvalue().replace("\n", ""))


class _Session:
    """The part of a run's session that the metadata of a landed table needs."""

    def connection(self) -> Any:
        import duckdb

        connection = duckdb.connect()
        connection.execute("CREATE SCHEMA bronze; CREATE TABLE bronze.orders (business_date DATE)")
        return connection


@settings(max_examples=10, deadline=None)
@given(text=TEXT)
@example(text=" ".join(ODD))
def test_dagster_metadata(text: str) -> None:
    feed: Any = type("Feed", (), {"name": "orders"})
    session: Any = _Session()
    found = LandingResult("orders", findings=[Finding("data_invalid", "orders", None, None, f"begin {text} end")])
    value = dg.MetadataValue.text(bronze._metadata(session, feed, found)["findings"])
    assert value.text == f"- data_invalid: {wanted(text)}"
    value.text.encode("utf-8")
