"""Files as they arrive in practice: half-written, replaced, another user's, linked, oddly named, marked."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import pytest

from tests.pipeline.landing.home import TAKINGS, Home, feed_of

HEADER = "id,name,amount,sold_at\n"


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path, feed_of(TAKINGS))


def test_a_file_that_is_open_for_writing_waits(home):
    path = home.put("takings_2026-11-01.csv", HEADER + "1,a,1,\n")
    with path.open("a") as writer:
        assert home.land().waiting == [path.name]
        writer.write("2,b,1,\n")
    home.land()
    assert home.bronze("id") == [(1,), (2,)] and home.left() == []


def test_a_file_that_is_replaced_while_it_is_committed_is_the_next_delivery(home, monkeypatch):
    module = importlib.import_module("ops_project.pipeline.landing.workbench")
    path, real = home.put("takings_2026-11-01.csv", HEADER + "1,a,1,\n"), module.commit

    def commit(*args, **options):
        found = real(*args, **options)
        home.put("new", HEADER + "2,b,1,\n").replace(path)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(module, "commit", commit)
        home.land()
    assert home.left() == [path.name]
    home.land()
    assert home.bronze("id") == [(2,)] and home.left() == []


def test_a_file_of_another_user_is_copied(home, monkeypatch):
    real = Path.chmod

    def chmod(path, mode):
        if path.stat().st_nlink > 1:
            raise PermissionError("not the owner")
        real(path, mode)

    monkeypatch.setattr(Path, "chmod", chmod)
    home.put("takings_2026-11-01.csv", HEADER + "1,a,1,\n")
    result = home.land()
    assert result.findings == [] and home.left() == [] and len(home.archived()) == 1


def test_a_name_that_is_no_utf8_lands(home):
    folder = os.fsencode(home.inbound / "shop")
    with open(folder + b"/takings_2026-11-01_\xe9.csv", "wb") as file:  # noqa: PTH123
        file.write((HEADER + "1,a,1,\n").encode())
    result = home.land()
    assert result.findings == [] and home.bronze("id") == [(1,)]
    assert home.rows("SELECT file_name FROM ops.batches") == [("takings_2026-11-01_\\xe9.csv",)]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_utf8_sig_takes_files_with_and_without_mark(tmp_path, mark):
    home = Home(tmp_path, feed_of("    format: {encoding: utf-8-sig}\n" + TAKINGS.lstrip("\n")))
    home.put("takings_2026-11-01.csv", mark + (HEADER + "1,é,1,\n").encode())
    home.land()
    assert home.bronze("id, name") == [(1, "é")]
