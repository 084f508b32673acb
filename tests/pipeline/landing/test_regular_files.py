"""Only regular files are deliveries. A link, a pipe or a folder is reported, and never opened."""

from __future__ import annotations

import importlib
import os
import socket
import stat

import pytest

from ops_project.pipeline.landing import LINKED, pending, unclaimed
from tests.pipeline.landing.home import TAKINGS, Home, feed_of

FEED = feed_of(TAKINGS)
HEAD = "id,name,amount,sold_at\n"
NAME = "takings_2026-11-01.csv"
OPEN = "SELECT kind, file_name FROM ops.findings WHERE state = 'open'"
SECRET = HEAD + "1,secret,1.00,\n"


@pytest.fixture
def home(tmp_path):
    (tmp_path / "elsewhere.csv").write_text(SECRET)
    return Home(tmp_path, FEED)


def _link(home):
    (home.inbound / "shop" / NAME).symlink_to(home.root / "elsewhere.csv")


def _dangling(home):
    (home.inbound / "shop" / NAME).symlink_to(home.root / "nowhere.csv")


def _folder(home):
    (home.inbound / "shop" / NAME).mkdir()


def _pipe(home):
    os.mkfifo(home.inbound / "shop" / NAME)


def _socket(home, monkeypatch=None):
    before = os.getcwd()  # noqa: PTH109 - a socket's address is short, so it is bound from its folder
    os.chdir(home.inbound / "shop")
    try:
        socket.socket(socket.AF_UNIX).bind(NAME)
    finally:
        os.chdir(before)


KINDS = {
    "a symbolic link": _link,
    "a symbolic link to nothing": _dangling,
    "a folder": _folder,
    "a named pipe": _pipe,
    "a socket": _socket,
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_told_and_never_read(home, kind):
    KINDS[kind](home)
    home.put("takings_2026-11-02.csv", HEAD + "2,b,2.00,\n")
    result = home.land()
    assert [batch.file_name for batch in result.batches] == ["takings_2026-11-02.csv"]
    [finding] = result.findings
    assert (finding.kind, finding.file_name) == ("data_invalid", NAME)
    assert kind.removesuffix(" to nothing") in finding.message and "deliver the file itself" in finding.message
    assert home.bronze("id") == [(2,)] and home.left() == [NAME]
    assert "secret" not in str(home.rows("FROM ops.findings")) + str(home.rows("FROM ops.quarantine"))
    assert pending(FEED, home.inbound) == []


def test_it_is_said_once_and_closed_when_a_file_stands_there(home):
    _link(home)
    for _ in range(2):
        home.land()
    assert home.rows("SELECT count(*) FROM ops.findings") == [(1,)]
    (home.inbound / "shop" / NAME).unlink()
    home.put(NAME, HEAD + "1,a,1.00,\n")
    home.land()
    assert home.open_findings() == [] and home.bronze("name") == [("a",)]


def test_what_no_contract_takes_is_named_with_its_kind(home):
    folder = home.inbound / "shop"
    (folder / "other").mkdir()
    (folder / "passwd").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe.csv")
    assert unclaimed([FEED], folder) == ["other/", "passwd@", "pipe.csv|"]


@pytest.mark.parametrize("kind", ["a symbolic link", "a named pipe", "a folder"])
def test_a_file_that_is_exchanged_while_it_is_taken_is_not_followed(home, monkeypatch, kind):
    """The attacker waits until the file has been listed."""
    workbench = importlib.import_module("ops_project.pipeline.landing.workbench")
    home.put(NAME, HEAD + "1,a,1.00,\n")
    real = workbench.private_name

    def exchanged(path, *rest):
        path.unlink()
        KINDS[kind](home)
        return real(path, *rest)

    monkeypatch.setattr(workbench, "private_name", exchanged)
    result = home.land()
    assert result.batches == [] and home.bronze() == [] and home.archived() == []
    assert "not a regular file" in result.findings[0].message


def test_the_run_that_could_not_read_a_file_does_not_close_its_finding(home, monkeypatch):
    """When the run looks at the folder again, the file stands there as before. Only the next run reads it."""
    workbench = importlib.import_module("ops_project.pipeline.landing.workbench")
    path = home.put(NAME, HEAD + "1,a,1.00,\n")
    real = workbench.private_name

    def exchanged(found, *rest):
        aside = found.rename(home.root / "aside")
        _link(home)
        try:
            return real(found, *rest)
        finally:
            found.unlink()
            aside.rename(found)

    with monkeypatch.context() as attacked:
        attacked.setattr(workbench, "private_name", exchanged)
        assert home.land().batches == []
    assert path.is_file() and home.bronze() == []
    assert home.rows(OPEN) == [("data_invalid", NAME)]
    home.land()
    assert home.open_findings() == [] and home.bronze("name") == [("a",)]


def test_a_file_that_was_exchanged_and_is_gone_is_missing_in_the_next_run(home, monkeypatch):
    """The finding about the exchanged file does not stay open, because the file is not there any more."""
    workbench = importlib.import_module("ops_project.pipeline.landing.workbench")
    home.put(NAME, HEAD + "1,a,1.00,\n")
    real = workbench.private_name

    def exchanged(found, *rest):
        found.unlink()
        _link(home)
        try:
            return real(found, *rest)
        finally:
            found.unlink()

    with monkeypatch.context() as attacked:
        attacked.setattr(workbench, "private_name", exchanged)
        home.land()
    assert home.rows(OPEN) == [("data_invalid", NAME)]
    home.land()
    assert ("data_invalid", NAME) not in home.rows(OPEN)


def test_a_file_that_is_exchanged_and_put_back_is_read_as_it_was(home, monkeypatch):
    """While the file is read, a link has its name. Before and after that, the file itself has the name."""
    workbench = importlib.import_module("ops_project.pipeline.landing.workbench")
    path, real = home.put(NAME, HEAD + "1,a,1.00,\n"), workbench.examine

    def meanwhile(*given, **named):
        aside = path.rename(home.root / "aside")
        _link(home)
        found = real(*given, **named)
        path.unlink()
        aside.rename(path)
        return found

    monkeypatch.setattr(workbench, "examine", meanwhile)
    home.land()
    assert home.bronze("name") == [("a",)]


def test_the_archive_alone_has_the_bytes_of_a_file_with_further_names(home):
    outside = home.root / "outside.csv"
    outside.write_text(HEAD + "1,a,1.00,\n")
    outside.chmod(0o664)
    os.link(outside, home.inbound / "shop" / NAME)
    assert home.land().files == {"loaded": 1}
    [kept] = [path for path in home.archive.rglob("*") if path.is_file()]
    assert not kept.samefile(outside) and kept.stat().st_nlink == 1 and home.left() == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o664
    outside.write_text("something else")
    assert "1,a,1.00" in kept.read_text()


@pytest.mark.parametrize("after", ["the commit", "the archive"])
def test_such_a_file_is_taken_once_if_the_run_is_killed(home, monkeypatch, after):
    outside = home.root / "outside.csv"
    outside.write_text(HEAD + "1,a,1.00,\n")
    os.link(outside, home.inbound / "shop" / NAME)
    archive = importlib.import_module("ops_project.pipeline.landing.write.archive")
    with monkeypatch.context() as killed:
        killed.setattr(archive, "keep" if after == "the commit" else "release", _killed)
        with pytest.raises(KeyboardInterrupt):
            home.land()
    result = home.land()
    assert (result.batches, result.findings, home.left()) == ([], [], [])
    assert home.bronze("name") == [("a",)] and len(home.archived()) == 1


def _killed(*_):
    raise KeyboardInterrupt


def test_a_file_that_only_looks_like_one_that_was_taken_is_loaded(home):
    """Another file has the same name, size and time as a file that was taken, but other bytes."""
    first = home.put(NAME, HEAD + "1,a,1.00,\n")
    times = first.stat()
    home.land()
    outside = home.root / "outside.csv"
    outside.write_text(HEAD + "1,b,1.00,\n")
    os.utime(outside, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.link(outside, home.inbound / "shop" / NAME)
    assert home.land().files == {"loaded": 1}
    assert home.bronze("name") == [("b",)]


def test_a_folder_that_is_a_link_is_not_followed(home, tmp_path):
    elsewhere = (home.inbound / "shop").rename(tmp_path / "elsewhere")
    (elsewhere / NAME).write_text(SECRET)
    (home.inbound / "shop").symlink_to(elsewhere)
    assert home.land().batches == [] and home.bronze() == []
    assert unclaimed([FEED], home.inbound / "shop") == [LINKED]
    assert (elsewhere / NAME).is_file()


def test_a_control_file_that_is_a_link_is_not_there(tmp_path):
    feed = feed_of(TAKINGS + "    control: {file: '{stem}.ctl'}\n")
    home = Home(tmp_path, feed)
    (tmp_path / "count").write_text("1")
    home.put(NAME, HEAD + "1,a,1.00,\n")
    (home.inbound / "shop" / "takings_2026-11-01.ctl").symlink_to(tmp_path / "count")
    assert home.land().waiting == [NAME]


def test_the_archive_gives_nobody_more_rights_than_the_file_came_with(home):
    for day, mode in ((1, 0o600), (2, 0o640), (3, 0o644)):
        home.put(f"takings_2026-11-0{day}.csv", HEAD + f"{day},a,1.00,\n").chmod(mode)
    home.land()
    modes = sorted(stat.S_IMODE(path.stat().st_mode) for path in home.archive.rglob("*.csv"))
    assert modes == [0o400, 0o440, 0o444]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_says_so(home):
    home.put(NAME, HEAD + "1,a,1.00,\n").chmod(0)
    [finding] = home.land().findings
    assert finding.kind == "config_error" and "cannot be read" in finding.message
