"""Clocks, splits and repairs of a folder's files, on bars worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgebook.bars.bars import COLUMNS, PRICES, utc
from edgebook.errors import DataError, SettingsError
from edgebook.folder.folder import folder_bars
from edgebook.folder.folder_splits import suspected_splits
from edgebook.settings.bar_files import Files
from edgebook.settings.loading import section
from edgebook.sources.sources import load_bars
from test_folder_dialects import OHLCV, put, read, refusal

NEW_YORK = {"timezone": "America/New_York"}


def rows(*stamps: str) -> str:
    return f"open time,{OHLCV}\n" + "".join(f"{stamp},1,1,1,1,{i + 1}\n" for i, stamp in enumerate(stamps))


def closes(folder: Path, **declared: object) -> list[str]:
    return [f"{date:%m-%d %H:%M}" for date in read(folder, **declared)[0]["date"]]


def test_a_clock_that_goes_back_is_read_where_the_rows_tell_which_hour_it_is(tmp_path: Path) -> None:
    put(tmp_path, "X_1h.csv", rows("2019-11-03 00:00", "2019-11-03 01:00", "2019-11-03 01:00", "2019-11-03 02:00"))
    assert closes(tmp_path, **NEW_YORK) == ["11-03 05:00", "11-03 06:00", "11-03 07:00", "11-03 08:00"]
    put(tmp_path, "X_1h.csv", rows("2019-11-03 01:00", "2019-11-03 03:00"))
    assert "X_1h.csv: row 1: 2019-11-03 01:00 was shown twice by the clock of America/New_York" in refusal(
        tmp_path, **NEW_YORK
    )


def test_an_hour_that_the_clock_skipped_is_refused_by_its_row(tmp_path: Path) -> None:
    put(tmp_path, "X_1h.csv", rows("2019-03-10 01:00", "2019-03-10 03:00"))
    assert closes(tmp_path, **NEW_YORK) == ["03-10 07:00", "03-10 08:00"]
    put(tmp_path, "X_1h.csv", rows("2019-03-10 01:00", "2019-03-10 02:30"))
    assert "X_1h.csv: row 2: 2019-03-10 02:30 was skipped by the clock" in refusal(tmp_path, **NEW_YORK)


def test_a_stamp_without_a_clock_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "X_1h.csv", rows("2019-03-10 01:00"))
    assert "row 1: date '2019-03-10 01:00' has no offset from UTC" in refusal(tmp_path)
    assert "or set bars.files.timezone" in refusal(tmp_path)


def test_a_day_closes_at_the_midnight_that_follows_by_the_declared_clock(tmp_path: Path) -> None:
    put(tmp_path, "AAPL.csv", f"Date,{OHLCV}\n2019-03-08,1,1,1,1,1\n2019-03-11,1,1,1,1,1\n")
    assert closes(tmp_path) == ["03-09 00:00", "03-12 00:00"]
    assert closes(tmp_path, **NEW_YORK) == ["03-09 05:00", "03-12 04:00"]


def test_a_close_written_as_the_last_second_is_the_next_minute(tmp_path: Path) -> None:
    text = rows("2019-01-07 00:59:59.999Z", "2019-01-07 01:59:59Z").replace("open time", "close time")
    put(tmp_path, "X_1h.csv", text)
    assert closes(tmp_path) == ["01-07 01:00", "01-07 02:00"]


def test_a_declared_stamp_wins_over_what_is_recognised(tmp_path: Path) -> None:
    put(tmp_path, "X_1h.csv", rows("2019-01-07 01:00Z").replace("open time", "date").replace(OHLCV, OHLCV.lower()))
    assert closes(tmp_path) == ["01-07 01:00"]
    assert closes(tmp_path, stamp="open") == ["01-07 02:00"]


def days(n: int = 60, *, at: int = 30, factor: float = 1.0, noise: float = 0.002) -> pd.DataFrame:
    """Days around 100 of a share that split by `factor` before the day `at`."""
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, noise, n)))
    close[at:] /= factor
    opened = np.r_[close[0], close[:-1]] * np.exp(rng.normal(0, noise, n))
    opened[at] = close[at - 1] / factor * 1.004
    frame = pd.DataFrame({"pair": "A", "timeframe": "1d", "open": opened, "close": close, "volume": 10.0})
    frame["high"], frame["low"] = frame[["open", "close"]].max(axis=1), frame[["open", "close"]].min(axis=1)
    frame["date"] = pd.bdate_range("2019-01-08", periods=n, tz="UTC").as_unit("ms")
    return frame[COLUMNS]


@pytest.mark.parametrize("factor", [1.5, 2, 3, 4, 10, 20, 0.5, 0.1, 0.04])
def test_a_split_is_suspected_at_its_bar_with_its_factor(factor: float) -> None:
    (jump,) = suspected_splits(days(factor=factor))
    assert jump.factor == pytest.approx(factor)
    assert jump.date == days()["date"].iloc[30]


def test_a_crash_that_is_no_ratio_or_comes_back_or_stays_within_a_bar_is_no_split() -> None:
    assert suspected_splits(days()) == []
    assert suspected_splits(days(factor=1.8)) == []
    spike = days()
    spike.loc[30, PRICES] /= 2
    assert suspected_splits(spike) == []
    fall = days(factor=2)
    fall.loc[30, ["open", "high"]] = fall.loc[29, "close"]
    assert suspected_splits(fall) == []


def test_a_suspected_split_is_refused_accepted_or_undone_by_its_factor(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("EDGEBOOK_ROOT", str(tmp_path))
    bars = days(factor=4)
    put(tmp_path, "raw/A_1d.csv", bars.assign(date=bars["date"].astype(str)).to_csv(index=False))

    def load(as_of: str = "2019-04-01", **declared: object) -> pd.DataFrame:
        files = section(Files, declared, where="files")
        return load_bars(source="folder", timeframes=["1d"], as_of=as_of, folder=tmp_path / "raw", files=files)

    with pytest.raises(DataError, match=r"A 1d 2019-02-19 00:00: opens at .* as after a split of 4 for 1; put it into"):
        load()
    assert len(load("2019-02-18")) == 30  # a run to an earlier week does not know of it
    assert load(splits="as_is")["close"].tolist() == pytest.approx(bars["close"].tolist())
    put(tmp_path, "raw/splits.csv", "pair,date,factor\nA,2019-02-18T12:00:00Z,4\n")
    whole = load(split_factors="raw/splits.csv")
    assert whole["close"].tolist() == pytest.approx([*bars["close"][:30] / 4, *bars["close"][30:]])
    assert whole["volume"].tolist() == [40.0] * 30 + [10.0] * (len(whole) - 30)
    before = load("2019-02-18", split_factors="raw/splits.csv")
    assert before["close"].tolist() == pytest.approx(bars["close"][:30].tolist())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pair,when,factor\n", "column 'date' is missing"),
        ("pair,date,factor\nA,soon,4\n", "row 1: 'A', 'soon', '4' is no split; write it like AAPL,2020-08-31,4"),
        ("pair,date,factor\nA,2019-01-01,0\n", "row 1: 'A', '2019-01-01', '0' is no split"),
        ("pair,date,factor\nA,2019-01-01,2\nA,2019-01-01,2\n", "row 2: the split of 'A' is there twice; keep one row"),
        (None, "no such file; write it with columns pair, date, factor"),
    ],
)
def test_a_file_of_splits_is_held_to_its_form(tmp_path: Path, monkeypatch, text: str | None, says: str) -> None:
    monkeypatch.setenv("EDGEBOOK_ROOT", str(tmp_path))
    put(tmp_path, "A_1d.csv", days().assign(date=days()["date"].astype(str)).to_csv(index=False))
    if text is not None:
        put(tmp_path, "splits.csv", text)
    with pytest.raises(DataError, match=says) as caught:
        read(tmp_path, split_factors="splits.csv")
    assert str(caught.value).startswith("splits.csv: ")


def test_repairs_are_made_only_where_they_are_declared(tmp_path: Path) -> None:
    stamps = ["2019-01-07 02:00Z", "2019-01-07 00:00Z", "2019-01-07 01:00Z"]
    text = f"open time,{OHLCV}\n" + "".join(f"{stamp},1,1,1,1,{7 - i}\n" for i, stamp in enumerate(stamps))
    put(tmp_path, "X_1h.csv", text + "2019-01-07 01:00Z,1,1,1,1,5\n" + "2019-01-07 03:00Z,1,1,1,1,0\n")
    assert "row 2 (2019-01-07 01:00): date is before" in refusal(tmp_path)
    assert "row 4 (2019-01-07 02:00): date is there twice" in refusal(tmp_path, repair=["sort"])
    assert closes(tmp_path, repair=["sort", "duplicates"]) == [f"01-07 0{h}:00" for h in range(1, 5)]
    assert closes(tmp_path, repair=["sort", "duplicates", "filled"]) == [f"01-07 0{h}:00" for h in range(1, 4)]
    put(tmp_path, "X_1h.csv", rows("2019-01-07 00:00Z", "2019-01-07 00:00Z"))
    assert "row 2 (2019-01-07 01:00): date is there twice" in refusal(tmp_path, repair=["sort", "duplicates"])


def test_without_volume_only_a_weekend_is_taken_for_filled(tmp_path: Path) -> None:
    hours = pd.date_range("2019-01-04 20:00", "2019-01-06 23:00", freq="1h")
    put(tmp_path, "EURUSD_1h.csv", "open time,open,high,low,close\n" + "".join(f"{h}Z,1,1,1,1\n" for h in hours))
    kept = closes(tmp_path, volume="none", repair=["filled"])
    assert kept == ["01-04 21:00", "01-04 22:00", "01-06 22:00", "01-06 23:00", "01-07 00:00"]


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"timezone": "Mars/Olympus"}, "files.timezone: 'Mars/Olympus' is no zone of the IANA list"),
        ({"timezone": "../../etc/passwd"}, "is no zone of the IANA list"),
        ({"timeframe": "2h"}, "files.timeframe: '2h' is not one of 1m, 5m"),
        ({"columns": {"opne": "o"}}, "files.columns: 'opne' is not one of date, time, open"),
        ({"date_format": "%d/%m"}, "files.date_format: '%d/%m' does not say year, month and day"),
        ({"price_scale": {"all": 0.0}}, r"files.price_scale.all: must be in \[1e-12, 1e12\], is 0.0"),
        ({"split_factors": "../x.csv"}, "files.split_factors: '../x.csv' must be a path inside the repository"),
        ({"repair": ["everything"]}, "'everything' is not one of sort, duplicates, filled"),
    ],
)
def test_what_cannot_be_declared_is_refused(declared: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        section(Files, declared, where="params.yaml: files")


STAMPS = {
    "%Y-%m-%dT%H:%M:%SZ": {},
    "%Y-%m-%d %H:%M:%S+00:00": {},
    "%Y.%m.%d %H:%M": {"timezone": "UTC"},
    "%Y/%m/%d %H:%M:%S": {"timezone": "UTC"},
    "%Y%m%d %H%M%S": {"timezone": "UTC"},
    "%Y%m%d%H%M%S": {"timezone": "UTC"},
    "%d.%m.%Y %H:%M:%S.000": {"timezone": "UTC"},
    "%d/%m/%Y %H:%M": {"timezone": "UTC", "date_format": "%d/%m/%Y %H:%M"},
    "s": {},
    "ms": {},
    "us": {},
    "ns": {},
}


@given(
    spelling=st.sampled_from(list(STAMPS)),
    order=st.permutations(["open time", "Open", "HIGH", "l", "Close Price", "vol"]),
    sign=st.sampled_from([",", ";", "\t"]),
    comma=st.booleans(),
    start=st.datetimes(pd.Timestamp("1999-01-01").to_pydatetime(), pd.Timestamp("2090-01-01").to_pydatetime()),
    values=st.lists(st.floats(1e-6, 1e6), min_size=2, max_size=4),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_table_written_in_any_spelling_reads_back_the_same(
    tmp_path: Path, spelling, order, sign, comma, start, values
) -> None:
    opened = pd.date_range(pd.Timestamp(start).floor("h"), periods=len(values), freq="1h", tz="UTC").as_unit("ns")
    comma = comma and sign != ","
    if spelling in ("s", "ms", "us", "ns"):
        stamps = [str(n) for n in opened.as_unit(spelling).asi8]
    else:
        stamps = list(opened.strftime(spelling))
    low, high = [value * 0.9 for value in values], [value * 1.1 for value in values]
    numbers = [[repr(x).replace(".", "," if comma else ".") for x in own] for own in (values, high, low, values, high)]
    columns = dict(zip(["open time", "Open", "HIGH", "l", "Close Price", "vol"], [stamps, *numbers], strict=True))
    lines = [sign.join(order), *(sign.join(columns[name][i] for name in order) for i in range(len(values)))]
    put(tmp_path, "BTC-USD_1h.csv", "\n".join(lines))
    files = section(Files, STAMPS[spelling] | ({"decimal": "comma"} if comma else {}), where="files")
    (bars,) = folder_bars(tmp_path, files=files)
    assert bars["date"].tolist() == list((opened + pd.Timedelta(hours=1)).as_unit("ms"))
    assert bars[[*PRICES, "volume"]].to_numpy().T.tolist() == [values, high, low, values, high]
    assert bars["date"].iloc[0] >= utc("1999-01-01")
