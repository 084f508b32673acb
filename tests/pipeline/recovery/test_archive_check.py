"""An archived file that was altered or removed is found within a month, and reported until it is restored."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops_project.model.platform import Platform
from ops_project.pipeline import landing
from ops_project.pipeline.recovery import archive_check
from ops_project.pipeline.recovery.archive_check import Checked, damaged, verify, verify_share
from ops_project.pipeline.recovery.decide.archive_share import NIGHTS, ArchivedFile, share
from ops_project.pipeline.warehouse import snapshots
from ops_project.pipeline.warehouse.connection import writer
from ops_project.settings import Settings
from tests.empty_home import NOW
from tests.pipeline.landing.home import TAKINGS, feed_of

FEED = feed_of(TAKINGS)


class Archive:
    """A home in which files of several days were landed."""

    def __init__(self, settings: Settings, platform: Platform) -> None:
        self.settings, self.platform, self.now = settings, platform, NOW
        (settings.inbound / "shop").mkdir(parents=True)

    def land(self, *days: date, name: str = "a") -> None:
        for day in days:
            text = f"id,name,amount,sold_at\n{day.day},{name},1.00,2026-02-01 00:00:00\n"
            (self.settings.inbound / "shop" / f"takings_{day}.csv").write_text(text, encoding="utf-8")
        with writer(self.settings, self.platform, owner="test", now=self.now) as held:
            landing.ensure_tables(held.connection(), [FEED])
            found = landing.land(
                held.connection(), FEED, inbound=self.settings.inbound, archive=self.settings.archive, now=self.now
            )
            assert len(found.batches) == len(days)
            snapshots.take(held, run_id=f"run-{self.now:%d}", as_of=self.now, commit="c0ffee")

    def file(self, day: date) -> Path:
        [path] = (self.settings.archive / "shop" / "takings" / str(day)).iterdir()
        return path

    def night(self) -> Checked:
        self.now += timedelta(days=1)
        found = verify_share(self.settings, self.now)
        assert found is not None
        return found


DAYS = [date(2026, 2, day) for day in range(1, 5)]


@pytest.fixture
def archive(settings: Settings, platform: Platform) -> Archive:
    made = Archive(settings, platform)
    made.land(*DAYS)
    return made


def alter(path: Path) -> None:
    path.chmod(0o640)
    text = path.read_bytes()
    path.write_bytes(text.replace(b"1.00", b"9.00"))


def cut(path: Path) -> None:
    path.chmod(0o640)
    path.write_bytes(path.read_bytes()[:-3])


def link_elsewhere(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (alter, "was altered: its hash is"),
        (cut, "bytes and had"),
        (Path.unlink, "is missing"),
        (link_elsewhere, "is not a regular file any more"),
    ],
)
def test_a_damaged_file_is_named_with_what_was_found(
    archive: Archive, damage: Callable[[Path], None], words: str
) -> None:
    assert verify(archive.settings, NOW).damaged == []
    damage(archive.file(DAYS[1]))
    found = verify(archive.settings, NOW)
    (item,) = found.damaged
    assert words in item.what
    assert (item.feed, item.file_name, item.business_date) == ("takings", "takings_2026-02-02.csv", "2026-02-02")
    assert (found.compared, found.files) == (4, 4)


def test_damage_is_known_until_the_file_is_back(archive: Archive) -> None:
    path = archive.file(DAYS[0])
    kept = path.read_bytes()
    path.unlink()
    since = verify(archive.settings, NOW).damaged[0].since
    assert verify(archive.settings, NOW + timedelta(days=1)).damaged[0].since == since
    path.write_bytes(kept)
    found = verify(archive.settings, NOW + timedelta(days=2))
    assert found.damaged == []
    assert [Path(name).name for name in found.mended] == [path.name]
    assert damaged(archive.settings) == []


def test_the_source_sends_the_same_bytes_again_and_the_file_is_back(archive: Archive) -> None:
    for day, damage in ((DAYS[0], Path.unlink), (DAYS[1], alter)):
        path = archive.file(day)
        kept = path.read_bytes()
        damage(path)
        assert len(verify(archive.settings, NOW).damaged) == 1
        (archive.settings.inbound / "shop" / f"takings_{day}.csv").write_bytes(kept)
        with writer(archive.settings, archive.platform, owner="test", now=NOW) as held:
            landing.land(
                held.connection(),
                FEED,
                inbound=archive.settings.inbound,
                archive=archive.settings.archive,
                now=NOW + timedelta(hours=1),
            )
            [(rows,)] = held.connection().execute("SELECT count(*) FROM bronze.takings").fetchall()
        assert rows == len(DAYS)
        assert verify(archive.settings, NOW).damaged == []


def test_a_file_that_waits_to_be_archived_is_not_missing(archive: Archive) -> None:
    path = archive.file(DAYS[0])
    path.rename(archive.settings.inbound / "shop" / f"takings_{DAYS[0]}.csv")
    assert verify(archive.settings, NOW).damaged == []


def test_one_feed_is_compared_alone(archive: Archive) -> None:
    archive.file(DAYS[0]).unlink()
    assert verify(archive.settings, NOW, "takings").compared == 4
    other = verify(archive.settings, NOW, "another")
    assert (other.compared, other.damaged) == (0, [])
    assert len(damaged(archive.settings)) == 1


def test_a_share_is_taken_once_a_night_and_the_damaged_ones_are_in_it(archive: Archive) -> None:
    found = archive.night()
    assert found.compared == 1
    assert verify_share(archive.settings, archive.now + timedelta(hours=3)) is None
    archive.file(DAYS[3]).unlink()
    assert len(verify(archive.settings, archive.now).damaged) == 1
    following = archive.night()
    assert (following.compared, len(following.damaged)) == (2, 1)


def test_a_month_of_shares_covers_the_archive_that_grows(archive: Archive) -> None:
    archive.file(DAYS[2]).unlink()
    for nth in range(NIGHTS):
        if archive.night().damaged:
            break
        if nth < 3:
            archive.land(date(2026, 2, 10 + nth))
    assert [item.file_name for item in damaged(archive.settings)] == [f"takings_{DAYS[2]}.csv"]


def test_a_check_that_is_cut_off_keeps_what_it_has_done(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_check, "KEEP_SECONDS", 0.0)
    archive.file(DAYS[0]).unlink()

    def stop(done: int, _of: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        verify(archive.settings, NOW, progress=stop)
    assert len(damaged(archive.settings)) == 1


def test_notes_that_cannot_be_read_are_made_anew(archive: Archive) -> None:
    archive.file(DAYS[0]).unlink()
    verify(archive.settings, NOW)
    for text in ("", "[]", '{"verified": 1}', '{"verified": {}, "damaged": [{}], "last_share": null}'):
        (archive.settings.home / "state" / "archive.json").write_text(text, encoding="utf-8")
        assert len(verify(archive.settings, NOW).damaged) == 1


def test_a_home_without_an_archive_has_nothing_to_compare(settings: Settings) -> None:
    assert verify_share(settings, NOW) is None
    assert not settings.home.exists()
    assert verify(settings, NOW).files == 0


def file_of(nth: int, size: int, landed_at: datetime = NOW) -> ArchivedFile:
    name = f"{nth:04d}"
    hashed = hashlib.sha256(name.encode()).hexdigest()
    return ArchivedFile(name, "shop", "takings", name, date(2026, 2, 1), name, hashed, size, landed_at)


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=60),
    st.lists(st.lists(st.integers(0, 10**9), max_size=4), max_size=NIGHTS),
)
def test_whatever_the_sizes_and_arrivals_a_month_covers_what_was_there(
    sizes: list[int], arrivals: list[list[int]]
) -> None:
    files = [file_of(nth, size) for nth, size in enumerate(sizes)]
    wanted = {file.path for file in files}
    verified: dict[str, datetime] = {}
    for night in range(NIGHTS):
        now = NOW + timedelta(days=night + 1)
        for size in arrivals[night] if night < len(arrivals) else ():
            files.append(file_of(len(files), size, now))
        verified |= {file.path: now for file in share(files, verified, ())}
    assert wanted <= verified.keys()


def test_the_share_takes_what_was_compared_longest_ago() -> None:
    files = [file_of(nth, 1000) for nth in range(NIGHTS)]
    verified = {file.path: NOW + timedelta(days=int(file.path) % 5 + 1) for file in files if file.path != "0013"}
    assert [file.path for file in share(files, verified, ())] == ["0013"]
