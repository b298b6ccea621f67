"""The markets that bars come from, and what is known of their files."""

from __future__ import annotations

import pandas as pd
import pytest

from edgebook.bars import COLUMNS, cut, utc
from edgebook.errors import SettingsError, WeekError
from edgebook.sources import load_bars, source_end


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


def test_an_unknown_source_is_refused() -> None:
    with pytest.raises(SettingsError, match="source 'forex' is unknown; the sources are crypto, equities"):
        load_bars(source="forex", timeframes=["1h"], as_of="2019-10-07")
