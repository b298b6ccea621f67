"""Received bars are only ever added to, and what was known in a week never changes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.bars.bars import COLUMNS, utc
from edgebook.errors import DataError, SettingsError, WeekError
from edgebook.outcomes.silent_series import SILENT_MS
from edgebook.paths import Paths
from edgebook.running.data_fetch import fetch
from edgebook.settings.bar_database import Database
from edgebook.settings.loading import section
from edgebook.settings.params import Bars
from edgebook.sources.database_bars import database_bars, newer_bars
from edgebook.sources.known_bars import bars_as_of, end_of, late_at, revised_mondays
from edgebook.sources.late_series import ENDED_MS, late_series
from edgebook.sources.received import append, as_known, close, last_received, revised_at
from edgebook.sources.received_parts import list_parts
from edgebook.sources.receiving import receive

MONDAY = utc("2019-07-01")
WEEK = pd.Timedelta(days=7)
HOUR_MS = 3_600_000


def bars(*, pair: str = "BTC/USD", hours: range, price: float = 100.0, first: pd.Timestamp = MONDAY) -> pd.DataFrame:
    """Hourly bars that close so many hours after a time, all at one price."""
    dates = [first + pd.Timedelta(hours=hour) for hour in hours]
    made = pd.DataFrame({"pair": pair, "timeframe": "1h", "date": pd.DatetimeIndex(dates).as_unit("ms")})
    return made.assign(open=price, high=price, low=price, close=price, volume=1.0)[COLUMNS]


def known(folder: Path, at: pd.Timestamp) -> dict[str, list[float]]:
    """Closes of each pair as known at a time."""
    return {own["pair"].iloc[0]: own["close"].tolist() for own in as_known(folder, at=at)}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.parquet"))}


def test_only_what_is_new_or_changed_is_kept(tmp_path):
    assert append(bars(hours=range(3)), folder=tmp_path, known_at=MONDAY).new == 3
    before = contents(tmp_path)
    again = pd.concat([bars(hours=range(2)), bars(hours=range(2, 3), price=101.0), bars(hours=range(3, 4))])
    receipt = append(again, folder=tmp_path, known_at=MONDAY + WEEK)
    assert (receipt.new, receipt.revised) == (1, 1)
    assert receipt.rows["close_before"].tolist()[:1] == [100.0]
    assert append(again, folder=tmp_path, known_at=MONDAY + 2 * WEEK).rows.empty
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert list(after) == ["bars-20190701T000000Z-000.parquet", "bars-20190708T000000Z-000.parquet"]
    assert last_received(tmp_path) == {("BTC/USD", "1h"): MONDAY + pd.Timedelta(hours=3)}


def test_what_was_known_in_a_closed_week_stays(tmp_path):
    append(bars(hours=range(3)), folder=tmp_path, known_at=MONDAY + WEEK)
    close(tmp_path, up_to=MONDAY + WEEK, known_at=MONDAY + WEEK)
    append(bars(hours=range(1, 5), price=50.0), folder=tmp_path, known_at=MONDAY + WEEK)
    append(bars(pair="ETH/USD", hours=range(2)), folder=tmp_path, known_at=MONDAY + 2 * WEEK)
    assert known(tmp_path, MONDAY + WEEK) == {"BTC/USD": [100.0, 100.0, 100.0]}
    assert known(tmp_path, MONDAY + 2 * WEEK) == {"BTC/USD": [100.0, 50.0, 50.0, 50.0, 50.0], "ETH/USD": [100.0, 100.0]}
    assert revised_at(tmp_path) == [MONDAY + 2 * WEEK]


def test_a_clock_that_was_set_back_does_not_change_the_order(tmp_path):
    append(bars(hours=range(1)), folder=tmp_path, known_at=MONDAY + WEEK)
    append(bars(hours=range(1), price=101.0), folder=tmp_path, known_at=MONDAY)
    assert [part.file.name for part in list_parts(tmp_path)] == [
        "bars-20190708T000000Z-000.parquet", "bars-20190708T000000Z-001.parquet",
    ]  # fmt: skip
    assert known(tmp_path, MONDAY + 2 * WEEK) == {"BTC/USD": [101.0]}


receipts = st.lists(
    st.tuples(
        st.sampled_from(["A/USD", "B/USD"]), st.integers(0, 400), st.integers(1, 8), st.sampled_from([99.0, 100.0]),
        st.booleans(),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(receipts)
def test_no_receipt_changes_a_part_or_a_view_of_a_closed_week(sequence):
    """Whatever comes, in whatever order: parts stay as they are, and so does every week that was closed."""
    views: dict[pd.Timestamp, dict[str, list[float]]] = {}
    plain: dict[tuple[str, pd.Timestamp], float] = {}
    with TemporaryDirectory() as place:
        folder, now, parts = Path(place), MONDAY, {}
        for pair, start, length, price, closes in sequence:
            now += WEEK
            batch = bars(pair=pair, hours=range(start, start + length), price=price)
            append(batch, folder=folder, known_at=now)
            plain |= {(pair, date): price for date in batch["date"]}
            if closes:
                close(folder, up_to=now, known_at=now)
                views[now] = known(folder, now)
            assert contents(folder) | parts == contents(folder)
            parts = contents(folder)
            for at, seen in views.items():
                assert known(folder, at) == seen
            expected = {
                name: [plain[key] for key in sorted(plain) if key[0] == name and key[1] <= now + WEEK]
                for name in sorted({key[0] for key in plain if key[1] <= now + WEEK})
            }
            assert known(folder, now + WEEK) == expected  # a plain loop: the newest value of each bar


def test_a_damaged_part_is_refused_by_name(tmp_path):
    append(bars(hours=range(200)), folder=tmp_path, known_at=MONDAY)
    (part,) = tmp_path.glob("*.parquet")
    whole = part.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", whole[:300] + bytes([whole[300] ^ 255]) + whole[301:]):
        part.write_bytes(damaged)
        with pytest.raises(DataError, match=rf"data/received/{part.name}: damaged .*restore it"):
            as_known(tmp_path, at=MONDAY + WEEK)
    (tmp_path / "mine.parquet").write_bytes(whole)
    with pytest.raises(DataError, match=r"mine\.parquet: not the name of a part"):
        list_parts(tmp_path)


def test_a_download_that_broke_goes_on_where_it_stopped(tmp_path):
    asked = []

    def breaking(since):
        asked.append(since)
        yield bars(hours=range(5))
        raise DataError("the line is dead")

    def whole(since):
        asked.append(since)
        yield bars(hours=range(10))

    with pytest.raises(DataError, match="the line is dead"):
        receive(breaking, folder=tmp_path, clock=lambda: MONDAY)
    told = receive(whole, folder=tmp_path, clock=lambda: MONDAY)
    assert (told.new, told.revised) == (5, 0)
    assert asked[1] == {("BTC/USD", "1h"): MONDAY + pd.Timedelta(hours=4) - WEEK}


def test_a_split_that_reaches_behind_what_is_asked_for_again_is_read_whole_and_kept_as_one_part(tmp_path):
    append(bars(hours=range(300)), folder=tmp_path, known_at=MONDAY + 2 * WEEK)
    close(tmp_path, up_to=MONDAY + 2 * WEEK, known_at=MONDAY + 2 * WEEK)

    def ask(since):
        after = (since or {}).get(("BTC/USD", "1h"))
        answer = bars(hours=range(400), price=25.0)
        return [answer if after is None else answer[answer["date"] > after]]

    told = receive(ask, folder=tmp_path, clock=lambda: MONDAY + 3 * WEEK)
    assert (told.new, told.revised) == (100, 300)
    assert told.restated == {("BTC/USD", "1h"): "300 bars from 2019-07-01 to 2019-07-13 times 0.25, as after a split"}
    assert len(list_parts(tmp_path)) == 3
    assert set(known(tmp_path, MONDAY + 2 * WEEK)["BTC/USD"]) == {100.0}
    assert known(tmp_path, MONDAY + 3 * WEEK)["BTC/USD"] == [25.0] * 400


def test_a_series_is_late_when_it_lags_for_longer_than_it_ever_does():
    hours = (np.arange(24 * 28) + 1) * HOUR_MS + MONDAY.value // 1_000_000
    at = pd.Timestamp(hours[-1], unit="ms", tz="UTC")
    sparse = hours[::5]  # every fifth hour: its last bar is four hours before the market's, as always
    share = hours[(hours // HOUR_MS) % 24 < 8]  # closed at night: its last bar is sixteen hours old
    dates = {
        ("A", "1h"): hours,
        ("B", "1h"): hours[:-1],
        ("C", "1h"): sparse[:-2],
        ("D", "1h"): sparse,
        ("E", "1h"): share,
    }
    assert [str(one) for one in late_series(dates, at=at)] == [
        "B 1h since 2019-07-28 23:00",
        "C 1h since 2019-07-28 13:00",
    ]
    later = dates | {("B", "1h"): np.r_[hours[:-1], hours[-1] + HOUR_MS]}
    assert [one.pair for one in late_series(later, at=at)] == ["C"]  # B goes on: it had nothing to say
    ended = late_series({("A", "1h"): hours, ("B", "1h"): hours[: -24 * 12]}, at=at)
    assert [(one.pair, one.ended) for one in ended] == [("B", True)]
    assert ENDED_MS == SILENT_MS


# A database of bars -------------------------------------------------------------------------------------------------


def write_database(file: Path, rows: pd.DataFrame, *, tweak: str = "") -> None:
    """A desk's table with names of its own, stamped with the open of the bar in New York's time, prices as text."""
    local = (rows["date"] - pd.Timedelta(hours=1)).dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d %H:%M:%S")
    with closing(sqlite3.connect(file)) as desk, desk:
        desk.execute("DROP TABLE IF EXISTS ohlc")
        desk.execute("CREATE TABLE ohlc (symbol, ts, o, h, l, c, v)")
        values = zip(rows["pair"], local, *(rows[name].astype(str) for name in COLUMNS[3:]), strict=True)
        desk.executemany("INSERT INTO ohlc VALUES (?, ?, ?, ?, ?, ?, ?)", list(values))
        if tweak:
            desk.execute(tweak)


COLUMN_NAMES = {"pair": "symbol", "date": "ts", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
DESK = Database(
    url="DESK_BARS", query="ohlc", columns=COLUMN_NAMES, timeframe="1h", stamp="open", timezone="America/New_York"
)


@pytest.fixture
def desk(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("DESK_BARS", "sqlite:///desk.sqlite")
    write_database(tmp_path / "desk.sqlite", pd.concat([bars(pair=pair, hours=range(-200, 1)) for pair in ("A", "B")]))
    return tmp_path


def read(root: Path, settings: Database = DESK, **more) -> pd.DataFrame:
    return pd.concat(list(database_bars(settings, root=root, until=utc("2030-01-01"), **more)))


def test_a_table_of_text_without_offsets_is_read_as_the_settings_say(desk):
    found = read(desk)
    expected = pd.concat([bars(pair=pair, hours=range(-200, 1)) for pair in ("A", "B")], ignore_index=True)
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected)
    later = read(desk, since=MONDAY - pd.Timedelta(hours=50))
    assert 50 * 2 <= len(later) <= 98 * 2  # from the day before on: text says no offset
    assert read(desk, DESK.__class__(**{**vars(DESK), "volume": "none"}))["volume"].unique().tolist() == [0.0]


def test_a_query_is_given_the_time_after_which_bars_are_wanted(desk):
    query = "SELECT symbol, ts, o, h, l, c, v FROM ohlc WHERE ts > :since ORDER BY symbol, ts"
    asked = Database(**{**vars(DESK), "query": query})
    assert len(read(desk, asked)) == 402
    assert len(read(desk, asked, since=MONDAY - pd.Timedelta(hours=50))) == 98
    known_series = {("A", "1h"): MONDAY - pd.Timedelta(hours=50)}
    joined = pd.concat(list(newer_bars(asked, root=desk, since=known_series, until=MONDAY)))
    assert joined.groupby("pair").size().to_dict() == {"A": 49, "B": 201}  # B is not known, so all of it is read


@pytest.mark.parametrize(
    ("tweak", "said"),
    [
        ("UPDATE ohlc SET c = NULL WHERE rowid = 3", r"ohlc: row 3: close is missing; correct it in the database"),
        ("UPDATE ohlc SET h = 'n/a' WHERE rowid = 3", r"row 3: high 'n/a' is not a number"),
        ("UPDATE ohlc SET h = '1' WHERE rowid = 3", r"row 3 \(A 2019-06-22 18:00\): high 1 is below open 100"),
        ("UPDATE ohlc SET ts = '2019-03-10 02:30:00' WHERE rowid = 1", r"row 1: date .* is no single moment in"),
        ("UPDATE ohlc SET ts = 'soon' WHERE rowid = 201", r"date 'soon' is not a date"),
        ("ALTER TABLE ohlc RENAME COLUMN h TO high2", r"DESK_BARS refused the query .*no such column: h.* correct"),
        ("DROP TABLE ohlc", r"DESK_BARS refused the query .*no such table"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_database_is_one_line(desk, tweak, said):
    write_database(desk / "desk.sqlite", bars(pair="A", hours=range(-200, 1)), tweak=tweak)
    with pytest.raises(DataError, match=said) as found:
        read(desk)
    assert "\n" not in str(found.value)


def test_nothing_can_be_written_through_a_query(desk):
    for query in ("DELETE FROM ohlc", "SELECT 1; DROP TABLE ohlc", "-- SELECT\nUPDATE ohlc SET c = 1", ""):
        with pytest.raises(SettingsError, match=r"bars\.database\.query: .*give"):
            section(Database, {"url": "DESK_BARS", "query": query}, where="params.yaml: bars.database")
    before = (desk / "desk.sqlite").read_bytes()
    cunning = Database(**{**vars(DESK), "query": "WITH gone AS (SELECT 1) DELETE FROM ohlc"})
    with pytest.raises(DataError, match=r"DESK_BARS .*readonly database"):
        read(desk, cunning)
    assert (desk / "desk.sqlite").read_bytes() == before


def test_no_message_shows_a_password(tmp_path, monkeypatch):
    with pytest.raises(SettingsError, match="name of a credential") as refused:
        section(Database, {"url": "postgresql://me:hunter2@db/x"}, where="params.yaml: bars.database")
    monkeypatch.setenv("DESK_BARS", "postgresql://me:hunter2@127.0.0.1:1/bars?connect_timeout=1")
    with pytest.raises(DataError, match=r"DESK_BARS cannot be read .*nothing has changed") as failed:
        read(tmp_path)
    for said in (refused, failed):
        assert "hunter2" not in str(said.value)
        assert failed.value.__suppress_context__


def test_a_database_from_the_first_fetch_to_a_revised_week(desk):
    """Received, closed, late, revised: what each week reads."""

    class Settings:
        bars = Bars(source="database", timeframes=("1h", "4h"), database=DESK)
        outcomes = type("None_", (), {"source": "simulated"})

    paths = Paths(desk)
    with pytest.raises(DataError, match="no bars received yet; run `edgebook data fetch`"):
        end_of(Settings.bars, root=desk)
    told = fetch(Settings, paths, until="2019-07-01")
    assert told["line"] == (
        "database: 402 new bars, 0 revised, of 2 series, up to 2019-07-01 00:00 UTC, in data/received"
    )
    assert told["closed"] == "2019-07-01"
    assert fetch(Settings, paths, until="2019-07-01")["line"].startswith("database: nothing new of 2 series")
    first_week = bars_as_of(Settings.bars, root=desk, as_of="2019-07-01")
    assert first_week.groupby("timeframe").size().to_dict() == {"1h": 402, "4h": 102}

    # A week later B is silent since Sunday, and an old bar of A was corrected.
    week = [bars(pair="A", hours=range(-200, 169)), bars(pair="B", hours=range(-200, 150))]
    week[0].loc[190, "high"] = 105.0
    write_database(desk / "desk.sqlite", pd.concat(week))
    told = fetch(Settings, paths, until="2019-07-08")
    assert (told["new"], told["revised"], told["closed"]) == (168 + 149, 1, "2019-07-01")
    assert told["line"].endswith("late: B 1h since 2019-07-07 05:00")
    assert end_of(Settings.bars, root=desk) == utc("2019-07-07 05:00")
    with pytest.raises(WeekError, match=r"to 2019-07-08 are not complete: no bars of B 1h since 2019-07-07 05:00; run"):
        late_at(Settings.bars, root=desk, at="2019-07-08")
    Settings.bars = Bars(source="database", timeframes=("1h", "4h"), database=DESK, silent=("B",))
    assert [one.pair for one in late_at(Settings.bars, root=desk, at="2019-07-08")] == ["B"]
    assert fetch(Settings, paths, until="2019-07-08")["closed"] == "2019-07-08"

    pd.testing.assert_frame_equal(bars_as_of(Settings.bars, root=desk, as_of="2019-07-01"), first_week)
    assert bars_as_of(Settings.bars, root=desk, as_of="2019-07-08")["high"].max() == 105.0
    assert revised_mondays(Settings.bars, root=desk) == ["2019-07-08"]
