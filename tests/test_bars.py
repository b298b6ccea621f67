"""The contract of bars, and coarser timeframes that never look ahead."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.bars.bars import COLUMNS, check_bars, cut, resample, utc
from edgebook.errors import DataError, SettingsError


def hourly(rows: list[tuple[float, float, float, float, float]], *, start: str = "2019-01-07 01:00") -> pd.DataFrame:
    """Hourly bars of one pair; the first closes at `start`."""
    dates = pd.date_range(start, periods=len(rows), freq="1h", tz="UTC").as_unit("ms")
    prices = pd.DataFrame(rows, columns=["open", "high", "low", "close", "volume"], dtype=float)
    return prices.assign(pair="BTC/USD", timeframe="1h", date=dates)[COLUMNS]


def good() -> pd.DataFrame:
    return hourly([(10, 12, 9, 11, 5), (11, 13, 10, 12, 0), (12, 12, 8, 9, 7), (9, 9, 9, 9, 1)])


def put(column: str, row: int, value: object) -> pd.DataFrame:
    """Good bars with one value changed."""
    frame = good()
    frame.loc[row, column] = value
    return frame


def test_good_bars_pass_and_are_not_changed() -> None:
    frame = good()
    check_bars(frame, source="here")
    pd.testing.assert_frame_equal(frame, good())


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (put("high", 2, 11.5), "row 3 (2019-01-07 03:00): high 11.5 is below open 12; correct or drop the row"),
        (put("high", 0, 10.5), "row 1 (2019-01-07 01:00): high 10.5 is below close 11; correct or drop the row"),
        (put("low", 1, 11.5), "row 2 (2019-01-07 02:00): low 11.5 is above open 11; correct or drop the row"),
        (put("low", 2, 9.5), "row 3 (2019-01-07 03:00): low 9.5 is above close 9; correct or drop the row"),
        (put("close", 1, np.nan), "row 2 (2019-01-07 02:00): close is nan, not a finite number"),
        (put("volume", 1, np.inf), "row 2 (2019-01-07 02:00): volume is inf, not a finite number"),
        (put("low", 3, 0.0), "row 4 (2019-01-07 04:00): low 0 is not positive"),
        (put("open", 3, -9.0), "row 4 (2019-01-07 04:00): open -9 is not positive"),
        (put("volume", 3, -1.0), "row 4 (2019-01-07 04:00): volume -1 is negative"),
        (put("date", 1, pd.NaT), "row 2 (no date): date is missing"),
        (put("date", 1, utc("2019-01-07 01:00")), "row 2 (2019-01-07 01:00): date is there twice"),
        (put("date", 1, utc("2019-01-07 00:00")), "row 2 (2019-01-07 00:00): date is before that of the row above"),
        (put("date", 1, utc("2019-01-07 01:30")), "closes less than a 1h bar after the row above"),
        (put("timeframe", 1, "4h"), "row 3 (2019-01-07 03:00): pair and timeframe come out of order"),
        (put("timeframe", 1, "7h"), "timeframe '7h' is unknown; the timeframes are 1m, 5m, 15m, 30m, 1h, 4h, 1d"),
        (good().iloc[:0], "no bars at all"),
        (good().drop(columns="low"), "column 'low' is missing"),
        (good().astype({"volume": "int64"}), "column 'volume' is int64, not float64"),
        (good().assign(pair=1), "column 'pair' is int64, not text"),
        (good().assign(date=good()["date"].dt.tz_localize(None)), "column 'date' is datetime64[ms], not datetime64[ms"),
        (good().assign(date=good()["date"].dt.tz_convert("Asia/Tokyo")), "column 'date' is datetime64[ms, Asia/Tokyo]"),
        (good().assign(date=good()["date"].dt.as_unit("ns")), "column 'date' is datetime64[ns, UTC]"),
    ],
)
def test_the_first_violation_is_named_with_row_date_and_rule(frame: pd.DataFrame, says: str) -> None:
    with pytest.raises(DataError) as caught:
        check_bars(frame, source="data/raw/BTC-USD_1h.csv")
    message = str(caught.value)
    assert message.startswith("data/raw/BTC-USD_1h.csv: ")
    assert says in message
    assert "\n" not in message


def test_the_earliest_row_is_told_first_whatever_the_rule() -> None:
    frame = put("volume", 1, -1.0)
    frame.loc[3, "date"] = pd.NaT
    with pytest.raises(DataError, match=r"row 2 .*volume -1 is negative"):
        check_bars(frame, source="here")


def test_a_row_of_a_table_with_several_pairs_is_named_with_its_pair() -> None:
    other = good().assign(pair="ETH/USD")
    other.loc[1, "volume"] = -1.0
    with pytest.raises(DataError, match=r"row 6 \(ETH/USD 2019-01-07 02:00\)"):
        check_bars(pd.concat([good(), other], ignore_index=True), source="here")


def test_pairs_out_of_order_are_refused() -> None:
    with pytest.raises(DataError, match=r"row 5 .*come out of order"):
        check_bars(pd.concat([good(), good().assign(pair="AAA/USD")], ignore_index=True), source="here")


def test_a_session_that_closes_an_hour_early_after_a_change_of_clocks_is_no_violation() -> None:
    dates = pd.to_datetime(["2019-03-08 21:00", "2019-03-09 20:00"], utc=True).as_unit("ms")
    check_bars(good().iloc[:2].assign(timeframe="1d", date=dates), source="here")


def test_four_hours_by_hand() -> None:
    frame = hourly([(10, 12, 9, 11, 5), (11, 13, 10, 12, 0), (12, 12, 8, 9, 7), (9, 9, 9, 9, 1), (9, 20, 9, 19, 3)])
    coarse = resample(frame, timeframe="4h", bar_minutes=60)
    assert coarse["date"].tolist() == [utc("2019-01-07 04:00")]  # the fifth hour begins a bar that is not complete
    assert coarse[["open", "high", "low", "close", "volume"]].to_numpy().tolist() == [[10, 13, 8, 9, 13]]
    assert coarse["timeframe"].tolist() == ["4h"]


def test_days_are_anchored_at_midnight_utc() -> None:
    frame = hourly([(10, 12, 9, 11, 1)] * 30, start="2019-01-07 20:00")
    coarse = resample(frame, timeframe="1d", bar_minutes=60)
    assert coarse["date"].tolist() == [utc("2019-01-08"), utc("2019-01-09")]
    assert coarse["volume"].tolist() == [5, 24]


def test_an_interval_without_bars_gives_no_bar_and_one_with_some_gives_a_bar_of_those() -> None:
    frame = hourly([(10, 12, 9, 11, 1)] * 16)
    frame = frame.drop(index=[5, 6, *range(8, 12)])  # two hours of the second bar, all of the third
    coarse = resample(frame, timeframe="4h", bar_minutes=60)
    assert coarse["date"].dt.hour.tolist() == [4, 8, 16]
    assert coarse["volume"].tolist() == [4, 2, 4]


def test_a_bar_whose_last_hours_are_a_gap_is_complete_once_another_pair_shows_that_time_has_passed() -> None:
    silent = hourly([(10, 12, 9, 11, 1)] * 3)
    assert resample(silent, timeframe="4h", bar_minutes=60).empty
    both = pd.concat([silent, hourly([(10, 12, 9, 11, 1)] * 4).assign(pair="ETH/USD")], ignore_index=True)
    assert resample(both, timeframe="4h", bar_minutes=60)["pair"].tolist() == ["BTC/USD", "ETH/USD"]


def test_a_timeframe_that_is_no_multiple_is_refused() -> None:
    with pytest.raises(SettingsError, match="60 minutes are no multiple of 240-minute bars"):
        resample(good(), timeframe="1h", bar_minutes=240)
    with pytest.raises(
        SettingsError, match="timeframe '2h' is unknown; the timeframes are 1m, 5m, 15m, 30m, 1h, 4h, 1d"
    ):
        resample(good(), timeframe="2h", bar_minutes=60)


def test_cut_keeps_the_bar_that_closes_at_as_of() -> None:
    assert cut(good(), as_of="2019-01-07 02:00")["date"].tolist() == [utc("2019-01-07 01:00"), utc("2019-01-07 02:00")]


def test_a_word_is_no_date() -> None:
    with pytest.raises(SettingsError, match="'next week': not a date"):
        utc("next week")


@st.composite
def markets(draw: st.DrawFn) -> pd.DataFrame:
    """One or two pairs of hourly bars with gaps."""
    frames = []
    for pair in ("BTC/USD", "ETH/USD")[: draw(st.integers(1, 2))]:
        n = draw(st.integers(1, 40))
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        prices = np.sort(rng.uniform(1, 100, size=(n, 4)), axis=1)
        rows = [
            (row[1], row[3], row[0], row[2], volume) for row, volume in zip(prices, rng.uniform(0, 9, n), strict=True)
        ]
        kept = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
        frames.append(hourly(rows).assign(pair=pair)[kept])
    return pd.concat(frames, ignore_index=True)


@settings(deadline=None, max_examples=60)
@given(markets())
def test_resampling_conserves_volume_highs_and_lows_of_what_is_complete(bars: pd.DataFrame) -> None:
    coarse = resample(bars, timeframe="4h", bar_minutes=60, end=utc("2020-01-01"))
    check_bars(coarse, source="coarse") if len(coarse) else None
    for pair, fine in bars.groupby("pair"):
        mine = coarse[coarse["pair"] == pair]
        assert mine["volume"].sum() == pytest.approx(fine["volume"].sum(), abs=1e-4)
        assert mine["high"].max() == fine["high"].max()
        assert mine["low"].min() == fine["low"].min()
        assert mine["open"].iloc[0] == fine["open"].iloc[0]
        assert mine["close"].iloc[-1] == fine["close"].iloc[-1]


@settings(deadline=None, max_examples=60)
@given(markets(), st.integers(0, 41))
def test_resampling_never_uses_a_later_bar(bars: pd.DataFrame, hours: int) -> None:
    at = utc("2019-01-07") + pd.Timedelta(hours=hours)
    known = resample(cut(bars, as_of=at), timeframe="4h", bar_minutes=60, end=at)
    whole = cut(resample(bars, timeframe="4h", bar_minutes=60, end=utc("2020-01-01")), as_of=at)
    pd.testing.assert_frame_equal(known, whole)
