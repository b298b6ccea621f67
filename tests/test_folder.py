"""Bars of your own, from CSV and Parquet files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from edgebook.bars.bars import COLUMNS, utc
from edgebook.bars.sessions import days_per_year
from edgebook.errors import DataError, SettingsError, WeekError
from edgebook.sources.sources import load_bars, source_end

HEADER = "date,open,high,low,close,volume\n"


def hours(*, start: str = "2019-01-07 01:00", n: int = 8) -> pd.DataFrame:
    dates = pd.date_range(start, periods=n, freq="1h", tz="UTC").as_unit("ms")
    close = pd.Series(range(10, 10 + n), dtype=float) + 0.1
    return pd.DataFrame(
        {"date": dates, "open": close - 0.3, "high": close + 0.7, "low": close - 1, "close": close, "volume": 2.5}
    )


def save(bars: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".parquet":
        bars.to_parquet(path)
    else:
        bars.to_csv(path, index=False)


def load(folder: Path, *timeframes: str, as_of: str = "2019-01-07 08:00") -> pd.DataFrame:
    return load_bars(source="folder", timeframes=timeframes, as_of=as_of, folder=folder)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_comes_back_as_it_was_written(tmp_path: Path, suffix: str) -> None:
    save(hours(), tmp_path / f"BTC-USD_1h.{suffix}")
    expected = hours().assign(pair="BTC/USD", timeframe="1h")[COLUMNS]
    pd.testing.assert_frame_equal(load(tmp_path, "1h"), expected)


def test_csv_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    (tmp_path / "BTC-USD_1h.csv").write_text(HEADER + "2019-01-07T01:00:00Z,0.1,0.30000000000000004,0.1,0.3,1e-3\n")
    row = load(tmp_path, "1h", as_of="2019-01-07 01:00").iloc[0]
    assert row["high"] == 0.1 + 0.2
    assert row["volume"] == 0.001


def test_an_offset_is_turned_into_utc(tmp_path: Path) -> None:
    (tmp_path / "BTC-USD_1h.csv").write_text(
        HEADER + "2019-01-07T02:00:00+01:00,1,1,1,1,1\n2019-01-06T21:00:00-05:00,1,1,1,1,1\n"
    )
    assert load(tmp_path, "1h", as_of="2019-01-07 02:00")["date"].tolist() == [
        utc("2019-01-07 01:00"),
        utc("2019-01-07 02:00"),
    ]


def test_coarser_bars_are_made_of_finer_ones_only_where_there_is_no_file_of_their_own(tmp_path: Path) -> None:
    save(hours(), tmp_path / "BTC-USD_1h.csv")
    save(hours(), tmp_path / "ETH-USD_1h.csv")
    own = pd.DataFrame({"date": ["2019-01-07T04:00:00Z"], "open": [5], "high": [6], "low": [4], "close": [5]})
    save(own.assign(volume=9), tmp_path / "ETH-USD_4h.csv")
    bars = load(tmp_path, "1h", "4h")
    coarse = bars[bars["timeframe"] == "4h"].set_index(["pair", "date"])["volume"].to_dict()
    assert coarse == {
        ("BTC/USD", utc("2019-01-07 04:00")): 10,
        ("BTC/USD", utc("2019-01-07 08:00")): 10,
        ("ETH/USD", utc("2019-01-07 04:00")): 9,
    }


def test_the_coarsest_of_the_finer_files_is_taken(tmp_path: Path) -> None:
    save(hours(), tmp_path / "BTC-USD_1h.csv")
    save(hours().assign(volume=100.0), tmp_path / "BTC-USD_15m.csv")
    assert load(tmp_path, "4h")["volume"].tolist() == [10, 10]


def test_a_file_that_lags_behind_gives_no_partial_bar(tmp_path: Path) -> None:
    save(hours(), tmp_path / "BTC-USD_1h.csv")
    save(hours(n=6), tmp_path / "ETH-USD_1h.csv")
    bars = load(tmp_path, "4h")
    assert bars[bars["pair"] == "ETH/USD"]["date"].tolist() == [utc("2019-01-07 04:00")]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("2019-01-07T01:00:00Z,10,9,8,9,1", "row 1 (2019-01-07 01:00): high 9 is below open 10; correct or drop"),
        ("2019-01-07 01:00,10,11,8,9,1", "row 1: date '2019-01-07 01:00' has no offset from UTC; write the bar's clo"),
        ("2019-01-07,10,11,8,9,1", "row 1: date '2019-01-07' has no offset from UTC"),
        ("2019-01-07T01:00:00Z,10,11,8,9,1\n,10,11,8,9,1", "row 2: date '' has no offset from UTC"),
        ("07/01/2019 01:00Z,10,11,8,9,1", "row 1: date '07/01/2019 01:00Z' is not a date"),
        ("2019-01-07T01:00:00Z,ten,11,8,9,1", "row 1: open 'ten' is not a number; correct or drop the row"),
        ("2019-01-07T01:00:00Z,,11,8,9,1", "row 1: open '' is not a number"),
        ("2019-01-07T01:00:00Z,nan,11,8,9,1", "row 1 (2019-01-07 01:00): open is nan, not a finite number"),
        ("2019-01-07T01:00:00Z,10,11,8,9,1\n2019-01-07T02:00:00Z,10,11", "row 2: Expected 6 columns, got 3"),
        ("2019-01-07T02:00:00Z,9,9,9,9,1\n2019-01-07T01:00:00Z,9,9,9,9,1", "row 2 (2019-01-07 01:00): date is before"),
        ("", "no bars at all"),
    ],
)
def test_a_bad_row_is_named_with_file_row_and_rule(tmp_path: Path, rows: str, says: str) -> None:
    (tmp_path / "BTC-USD_1h.csv").write_text(HEADER + rows)
    with pytest.raises(DataError) as caught:
        load(tmp_path, "1h")
    assert f"{tmp_path}/BTC-USD_1h.csv: {says}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    save(hours().drop(columns="volume"), tmp_path / "BTC-USD_1h.csv")
    with pytest.raises(DataError, match=r"BTC-USD_1h\.csv: column 'volume' is missing \(it has date, open"):
        load(tmp_path, "1h")


def test_naive_parquet_is_refused(tmp_path: Path) -> None:
    save(hours().assign(date=hours()["date"].dt.tz_localize(None)), tmp_path / "BTC-USD_1h.parquet")
    with pytest.raises(DataError, match=r"column 'date' is timestamp\[ms\], without an offset from UTC"):
        load(tmp_path, "1h")


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "BTC-USD_1h.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match=r"BTC-USD_1h\.parquet: not a readable Parquet file"):
        load(tmp_path, "1h")


@pytest.mark.parametrize("name", ["BTCUSD.csv", "BTC-USD_2h.csv", "BTC-USD_1h_old.csv"])
def test_a_name_that_does_not_say_what_it_holds_is_refused(tmp_path: Path, name: str) -> None:
    save(hours(), tmp_path / name)
    with pytest.raises(DataError, match=r"the name does not say pair and timeframe; name it like BTC-USD_1h\.csv"):
        load(tmp_path, "1h")


def test_the_same_bars_twice_are_refused(tmp_path: Path) -> None:
    save(hours(), tmp_path / "BTC-USD_1h.csv")
    save(hours(), tmp_path / "BTC-USD_1h.parquet")
    with pytest.raises(DataError, match="BTC/USD 1h is there as CSV and as Parquet; keep one"):
        load(tmp_path, "1h")


def test_a_finer_timeframe_than_there_is_is_refused(tmp_path: Path) -> None:
    save(hours(n=1, start="2019-01-07 00:00"), tmp_path / "BTC-USD_4h.csv")
    with pytest.raises(DataError, match=r"folder BTC/USD: no bars of 1h or finer \(it has 4h\)"):
        load(tmp_path, "1h", as_of="2019-01-07")


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("bars go here")
    with pytest.raises(DataError, match=r"no bars there; add files named like BTC-USD_1h\.csv"):
        load(tmp_path, "1h")


def test_a_folder_must_be_named() -> None:
    with pytest.raises(SettingsError, match=r"bars\.folder: is missing"):
        load_bars(source="folder", timeframes=["1h"], as_of="2019-01-07")


def test_a_market_without_saturdays_is_complete_after_fridays_close(tmp_path: Path) -> None:
    days = hours(n=5).assign(date=pd.date_range("2019-01-07 21:00", periods=5, tz="UTC").as_unit("ms"))
    save(days, tmp_path / "AAPL_1d.csv")
    assert source_end(source="folder", folder=tmp_path) == utc("2019-01-14")
    bars = load(tmp_path, "1d", as_of="2019-01-14")
    assert (len(bars), days_per_year(bars)) == (5, 252)
    save(days.iloc[:4], tmp_path / "AAPL_1d.csv")
    with pytest.raises(WeekError, match=r"the data of folder end at 2019-01-10 21:00 UTC"):
        load(tmp_path, "1d", as_of="2019-01-14")


def test_a_market_with_saturdays_has_365_days(tmp_path: Path) -> None:
    save(hours(start="2019-01-12 01:00"), tmp_path / "BTC-USD_1h.csv")
    assert days_per_year(load(tmp_path, "1h", as_of="2019-01-12 08:00")) == 365
    assert source_end(source="folder", folder=tmp_path) == utc("2019-01-12 08:00")
