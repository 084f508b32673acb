"""Music streaming: a full file of songs and one of users each day, and a file of streams every four hours.

A player without a connection reports its streams later. They are then in a later file, which may be a file of the next
day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from ops_project.simulator import people
from ops_project.simulator.outbox import Columns, Outbox
from ops_project.simulator.people import choice
from ops_project.simulator.population import Population
from ops_project.simulator.timing import arrival, demand, seconds_of_day
from ops_project.simulator.world import Floats, Ints, World, days_since_epoch, weighted

DOMAIN = "streaming"
FEEDS = ("songs", "users", "streams")

GENRES = ("pop", "rock", "hip_hop", "electronic", "jazz", "classical", "folk", "latin")
WORDS = (
    "Amber",
    "Blue",
    "Crystal",
    "Distant",
    "Echo",
    "Fading",
    "Golden",
    "Hollow",
    "Midnight",
    "Paper",
    "Quiet",
    "Velvet",
)
THINGS = (
    "Harbor",
    "Horizon",
    "Letters",
    "Mirror",
    "Ocean",
    "Parade",
    "Rain",
    "River",
    "Signal",
    "Sky",
    "Summer",
    "Train",
)
PLANS = ("free", "premium", "family", "student")
PLAN_SHARE = np.cumsum([0.52, 0.30, 0.12, 0.06])
COUNTRIES = ("US", "GB", "DE", "FR", "BR", "IN", "MX", "JP")
DEVICES = ("phone", "desktop", "speaker", "car", "tv")
DEVICE_SHARE = np.array([0.55, 0.18, 0.15, 0.08, 0.04])
WINDOW_HOURS = 4
WINDOWS = 24 // WINDOW_HOURS
WINDOW_ARRIVES = timedelta(minutes=20)
SESSIONS_A_DAY, SONGS_A_SESSION = 1_000, 5.0
OFFLINE_SHARE, LATEST_WINDOWS = 0.03, 5
SKIPPED_SHARE = 0.25

SONG_SQL = """
    'SNG' || lpad(key::VARCHAR, 7, '0') AS song_id, word || ' ' || thing AS title, 'Artist ' || artist AS artist,
    'Album ' || album AS album, genre, duration_seconds, DATE '1970-01-01' + released::INTEGER AS released_date,
    make_timestamp(updated * 86400000000) AS updated_at"""
USER_SQL = f"""
    'USR' || lpad(key::VARCHAR, 8, '0') AS user_id, first_name || ' ' || last_name AS user_name,
    {people.EMAIL_SQL} AS email, country, plan, DATE '1970-01-01' + signed_up::INTEGER AS signup_date,
    make_timestamp(updated * 86400000000) AS updated_at"""
STREAM_SQL = """
    stream_id, 'USR' || lpad(listener::VARCHAR, 8, '0') AS user_id, 'SNG' || lpad(song::VARCHAR, 7, '0') AS song_id,
    make_timestamp(listened * 1000000) AS listened_at, listen_seconds, device, is_offline"""


@dataclass(frozen=True)
class Service:
    """The service at the end of one day."""

    world: World
    day: date

    @cached_property
    def songs(self) -> Population:
        return Population(self.world, "streaming/song", 2_400 * self.world.breadth, growth=0.12)

    @cached_property
    def users(self) -> Population:
        return Population(self.world, "streaming/user", 3_000 * self.world.breadth, growth=0.25)

    @cached_property
    def released(self) -> Ints:
        return self.songs.births(self.day)

    @cached_property
    def song_keys(self) -> Ints:
        return np.arange(len(self.released))

    @cached_property
    def signed_up(self) -> Ints:
        return self.users.births(self.day)

    @cached_property
    def user_keys(self) -> Ints:
        return np.arange(len(self.signed_up))

    @cached_property
    def genre(self) -> Ints:
        share = np.cumsum([0.28, 0.19, 0.16, 0.13, 0.07, 0.06, 0.05, 0.06])
        return np.searchsorted(share, self.songs.unit("genre", self.song_keys), "right").clip(0, len(GENRES) - 1)

    @cached_property
    def duration(self) -> Ints:
        return (215.0 * np.exp(0.22 * self.songs.normal("duration", self.song_keys))).astype(np.int64).clip(60, 900)

    @cached_property
    def plan(self) -> tuple[Ints, Ints]:
        """Each user's plan, and the day of its last change."""
        count, changed = self.users.changes("plan", self.user_keys, self.signed_up, self.day, every=500)
        index = np.searchsorted(PLAN_SHARE, self.users.unit("plan/now", self.user_keys, count), "right")
        return index.clip(0, len(PLANS) - 1), changed

    @cached_property
    def popularity(self) -> Floats:
        """The weight of each song. New songs are played more. The weights of the others have a long tail."""
        age = np.maximum(0, days_since_epoch(self.day) - self.released)
        return np.exp(1.3 * self.songs.normal("popularity", self.song_keys)) * (1.0 + 2.0 * np.exp(-age / 60.0))

    @cached_property
    def favourite(self) -> Ints:
        return self.users.pick("favourite", self.user_keys, len(GENRES))

    @cached_property
    def activity(self) -> Floats:
        return np.exp(0.9 * self.users.normal("activity", self.user_keys))


@dataclass(frozen=True)
class Streams:
    """The streams of one day, in the order of time. Index k of each array is stream k."""

    day: date
    listener: Ints
    song: Ints
    second: Ints
    listened: Ints
    device: Ints
    offline: np.ndarray
    reported: Ints
    """The number of the file that contains each stream, counted in windows since midnight of the day."""

    def columns(self, mask: np.ndarray) -> Columns:
        return {
            "stream_id": int(f"{self.day:%Y%m%d}") * 10**9 + 1 + np.flatnonzero(mask),
            "listener": self.listener[mask] + 1,
            "song": self.song[mask] + 1,
            "listened": days_since_epoch(self.day) * 86_400 + self.second[mask],
            "listen_seconds": self.listened[mask],
            "device": choice(DEVICES, self.device[mask]),
            "is_offline": self.offline[mask],
        }


@lru_cache(maxsize=2)
def streams_of(world: World, day: date) -> Streams:
    """All streams of a day. A session has several songs, most of them of the listener's favourite genre."""
    service = Service(world, day)
    rng = world.rng(DOMAIN, "streams", day)
    growth = len(service.user_keys) / service.users.size
    sessions = rng.poisson(SESSIONS_A_DAY * world.scale * growth * demand(world, DOMAIN, day, yearly_swing=0.03))
    listener = weighted(rng, service.activity, sessions)
    size = 1 + rng.poisson(SONGS_A_SESSION, sessions)
    of_session = np.repeat(np.arange(sessions), size)
    song = weighted(rng, service.popularity, len(of_session))
    loyal = rng.random(len(song)) < 0.6
    for genre in range(len(GENRES)):
        mine = np.flatnonzero(loyal & (service.favourite[listener[of_session]] == genre))
        weights = service.popularity * (service.genre == genre)
        if weights.sum() > 0:
            song[mine] = weighted(rng, weights, len(mine))
    duration = service.duration[song]
    skipped = rng.random(len(song)) < SKIPPED_SHARE
    listened = np.where(skipped, 5 + (duration - 5) * rng.random(len(song)) ** 2, duration).astype(np.int64)
    elapsed = np.cumsum(listened) - listened
    begun = (np.cumsum(size) - size)[of_session]
    second = seconds_of_day(rng, sessions)[of_session] + elapsed - (elapsed[begun] if len(begun) else 0)
    device, offline = (
        weighted(rng, DEVICE_SHARE, sessions)[of_session],
        rng.random(sessions)[of_session] < OFFLINE_SHARE,
    )
    delay = np.where(offline, rng.integers(1, LATEST_WINDOWS + 1, sessions)[of_session], 0)
    today = np.flatnonzero(second < 86_400)
    order = today[np.argsort(second[today], kind="stable")]
    reported = second // (WINDOW_HOURS * 3600) + delay
    arrays: tuple[np.ndarray, ...] = (listener[of_session], song, second, listened, device, offline, reported)
    return Streams(day, *(values[order] for values in arrays))


def file_name(feed: str, day: date, window: int = 0) -> str:
    """The name of the feed's file. Streams have a file for each window of the day, other feeds have one for the day."""
    if feed == "streams":
        return f"streams_{day:%Y%m%d}_{window * WINDOW_HOURS:02}00.jsonl"
    return f"{feed}_{day:%Y%m%d}.csv"


def deliver(world: World, zone: ZoneInfo, day: date, outbox: Outbox, *, first: bool) -> None:
    """Stage the files of business date `day`. `first`: they contain no late streams of the day before."""
    service = Service(world, day)
    for feed, columns, sql in (("songs", _songs, SONG_SQL), ("users", _users, USER_SQL)):
        if outbox.wants(feed):
            arrives = arrival(world, zone, DOMAIN, feed, day)
            outbox.write(feed, file_name(feed, day), day, arrives_at=arrives, columns=columns(service), select=sql)
    if not outbox.wants("streams"):
        return
    today, yesterday = streams_of(world, day), streams_of(world, day - timedelta(days=1))
    for window in range(WINDOWS):
        name = file_name("streams", day, window)
        ends = datetime.combine(day, time(0), UTC) + timedelta(hours=(window + 1) * WINDOW_HOURS)
        chunks = [today.columns(today.reported == window)]
        if not first:
            chunks.insert(0, yesterday.columns(yesterday.reported == window + WINDOWS))
        # A window in which nobody listened has no file, because a file without records would have no bytes.
        if any(len(chunk["listened"]) for chunk in chunks):
            outbox.write(
                "streams",
                name,
                day,
                arrives_at=ends + WINDOW_ARRIVES,
                columns=chunks,
                select=STREAM_SQL,
                dialect="FORMAT json",
            )


def _songs(service: Service) -> Columns:
    keys = service.song_keys
    return {
        "key": keys + 1,
        "word": choice(WORDS, service.songs.pick("word", keys, len(WORDS))),
        "thing": choice(THINGS, service.songs.pick("thing", keys, len(THINGS))),
        "artist": 1 + service.songs.pick("artist", keys, 1 + int(service.songs.size) // 8),
        "album": 1 + service.songs.pick("album", keys, 1 + int(service.songs.size) // 5),
        "genre": choice(GENRES, service.genre),
        "duration_seconds": service.duration,
        "released": service.released,
        "updated": service.released,
    }


def _users(service: Service) -> Columns:
    keys = service.user_keys
    plan, changed = service.plan
    return {
        "key": keys + 1,
        **people.names(service.users, keys),
        "country": choice(COUNTRIES, service.users.pick("country", keys, len(COUNTRIES))),
        "plan": choice(PLANS, plan),
        "signed_up": service.signed_up,
        "updated": changed,
    }
