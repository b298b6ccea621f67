"""What feeds do with whatever a server sends, without a server: pages, patience, settings."""

from __future__ import annotations

import importlib.util
import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgebook.bars.bars import check_bars
from edgebook.errors import SettingsError
from edgebook.settings.bar_feed import Feed
from edgebook.settings.loading import section
from edgebook.settings.params import Bars
from edgebook.sources import feeds, feeds_patience, feeds_yfinance
from edgebook.sources.feeds_pages import Wanted, page_of
from edgebook.sources.feeds_patience import GaveUpError, Trouble, in_few_words, patiently

HOUR = 3_600_000
START = pd.Timestamp("2019-01-01", tz="UTC")
WANTED = Wanted("BTC/USDT", "1h", START, False)


def row(hours: int, *, close: float = 10.0) -> list[float]:
    """A bar that closes so many hours after the start."""
    return [START.value // 1_000_000 + hours * HOUR, 10.0, max(10.0, close), min(10.0, close), close, 1.0]


def page(rows, *, closed_by_hours: int = 100, impossible: str = "refuse"):
    closed_by = START + pd.Timedelta(hours=closed_by_hours)
    return page_of(rows, wanted=WANTED, closed_by=closed_by, feed=Feed(impossible=impossible))


@given(st.lists(st.integers(-20, 120), max_size=60))
@settings(max_examples=25, deadline=None)
def test_any_order_and_any_repeats_give_each_wanted_bar_once(hours):
    bars, left_out = page([row(h) for h in hours])
    wanted = sorted({h for h in hours if 0 < h <= 100})
    assert bars["date"].tolist() == [START + pd.Timedelta(hours=h) for h in wanted]
    assert left_out == 0
    if wanted:
        check_bars(bars, source="page")


def test_of_a_bar_that_comes_twice_the_later_row_counts():
    bars, _ = page([row(2, close=11.0), row(1), row(2, close=12.0)])
    assert bars["close"].tolist() == [10.0, 12.0]


@pytest.mark.parametrize(
    "rows", [["upstream connect error"], [["a", 1, 1, 1, 1, 1]], [[None] * 6], [[1, 2]], [[5e15, 1, 1, 1, 1, 1]], [7]]
)
def test_what_is_no_bar_is_half_an_answer(rows):
    with pytest.raises(Trouble, match="sent half an answer"):
        page(rows)


@pytest.mark.parametrize("wrong", [np.nan, None, np.inf, -np.inf, 0.0, -3.0, 9.0])
def test_a_bar_that_cannot_be_is_refused_or_left_out(wrong):
    bad = row(2)
    bad[2] = wrong
    with pytest.raises(Trouble, match=r"cannot be \(2019-01-01 02:00: .*leave_out"):
        page([row(1), bad, row(3)])
    bars, left_out = page([row(1), bad, row(3)], impossible="leave_out")
    assert (len(bars), left_out) == (2, 1)


def test_a_missing_volume_is_none():
    bars, _ = page([[*row(1)[:5], None]])
    assert bars["volume"].tolist() == [0.0]


@pytest.fixture
def waits(monkeypatch):
    """Pauses that were made, none of them in truth."""
    made: list[float] = []
    now = [0.0]

    def sleep(seconds):
        made.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(feeds_patience.time, "sleep", sleep)
    monkeypatch.setattr(feeds_patience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(feeds_patience, "_within", lambda call, **_: call())
    return made


def ask(*troubles: Trouble | None, told=None, **given):
    """Ask a server that fails with these, one after the other, then answers."""
    left = list(troubles)

    def call():
        if left and (trouble := left.pop(0)) is not None:
            raise trouble
        return "answer"

    tell = (told if told is not None else []).append
    return patiently(call, feed=Feed(**given), where="binance BTC/USDT", tell=tell, reset=lambda: None)


def test_pauses_double_and_a_server_that_names_a_longer_one_gets_it(waits):
    told: list[str] = []
    assert ask(Trouble("is busy"), Trouble("is busy", wait_seconds=30.0), Trouble("is busy"), told=told) == "answer"
    assert waits == [1.0, 30.0, 4.0]
    assert told[1] == "binance BTC/USDT: is busy; asking again in 30 s (2 of 6)"


def test_a_server_that_asks_for_more_than_our_patience_is_left_alone_at_once(waits):
    with pytest.raises(GaveUpError, match="is busy and asks to wait 900 s; what was received before is kept"):
        ask(Trouble("is busy", wait_seconds=900.0), patience_seconds=300.0)
    assert waits == []


def test_retries_end_and_all_of_them_together_take_no_longer_than_our_patience(waits):
    with pytest.raises(GaveUpError, match=r"^binance BTC/USDT: is down 4 times; what was received before is kept; try"):
        ask(*[Trouble("is down")] * 9, retries=3)
    assert waits == [1.0, 2.0, 4.0]
    waits.clear()
    with pytest.raises(GaveUpError):
        ask(*[Trouble("is down")] * 99, retries=50, patience_seconds=100.0)
    assert sum(waits) < 100


def test_what_is_useless_to_ask_again_is_not_asked_again(waits):
    with pytest.raises(GaveUpError, match=r": knows no such symbol; what was received before is kept$"):
        ask(Trouble("knows no such symbol", tries=1))
    assert waits == []


def test_a_call_that_hangs_is_left_behind():
    reset, stop = [], threading.Event()
    with pytest.raises(GaveUpError, match="no whole answer within"):
        patiently(
            stop.wait, feed=Feed(timeout_seconds=0.01, retries=0), where="x", tell=print, reset=lambda: reset.append(1)
        )
    stop.set()
    assert reset == [1]


def test_words_of_an_error_are_one_line_without_address_or_secret():
    said = in_few_words(ValueError("binance GET https://api.binance.com/api/v3/klines?apiKey=abc\n429  token=hunter22"))
    assert said == "binance GET 429 token=***"


@pytest.mark.parametrize("source", ["ccxt", "yfinance"])
def test_a_library_that_is_not_installed_is_one_line_that_says_how(monkeypatch, tmp_path, source):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    pages = feeds.fetch_bars(Feed(pairs=("AAPL",)), source=source, root=tmp_path, since=None, until=START)
    with pytest.raises(SettingsError) as error:
        next(pages)
    assert str(error.value) == (
        f"{source}: is not installed, and params.yaml's bars.source is {source}; run `make feeds`, or "
        "`pip install -r requirements-feeds.lock`"
    )


def test_pairs_have_to_be_named(tmp_path):
    with pytest.raises(SettingsError, match=r"bars\.feed\.pairs: is empty; name what to ask ccxt for"):
        next(feeds.fetch_bars(Feed(), source="ccxt", root=tmp_path, since=None, until=START))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"exchange": "../binance"}, "bars.feed.exchange: '../binance' is no name of ccxt"),
        ({"pairs": ["AAPL", "AAPL"]}, "bars.feed.pairs: AAPL is there twice"),
        ({"pairs": ["A\nB"]}, "is no symbol"),
        ({"since": "last year"}, "bars.feed.since: 'last year' is not a date"),
        ({"timeframe": "2h"}, "bars.feed.timeframe: '2h' is not one of"),
        ({"timeout_seconds": 0}, "bars.feed.timeout_seconds: must be in"),
        ({"retries": 51}, "bars.feed.retries: must be 0 to 50"),
        ({"patience_seconds": 1e9}, "bars.feed.patience_seconds: must be in"),
        ({"api_key": "k-9f8a"}, "bars.feed.api_key: must be the name of a credential, not the key"),
    ],
)
def test_a_setting_that_cannot_be_is_one_line(wrong, says):
    with pytest.raises(SettingsError) as error:
        section(Bars, {"source": "ccxt", "timeframes": ["1h"], "feed": wrong}, where="params.yaml: bars")
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_key_is_never_shown():
    with pytest.raises(SettingsError) as error:
        section(Bars, {"source": "ccxt", "timeframes": ["1h"], "feed": {"secret": "k-9f8a"}}, where="x")
    assert "9f8a" not in str(error.value)


def test_a_session_closes_at_midnight_utc_or_before_the_next_begins():
    def closes(zone: str, kind: str = "EQUITY") -> str:
        index = pd.DatetimeIndex(["2019-07-05"]).tz_localize(zone)
        at = feeds_yfinance._closes(index, wanted=Wanted("X", "1d", START, False), kind=kind)[0]
        return f"{pd.Timestamp(int(at), unit='ms'):%a %H:%M}"

    assert closes("America/New_York") == closes("Asia/Tokyo") == closes("Europe/London") == "Sat 00:00"
    assert closes("Australia/Sydney") == closes("Pacific/Auckland") == "Fri 20:00"
    assert closes("Europe/London", "CURRENCY") == "Fri 23:00"
    assert closes("UTC", "CRYPTOCURRENCY") == "Sat 00:00"


@given(st.decimals(min_value="0.01", max_value="9999", places=2))
@settings(max_examples=25, deadline=None)
def test_quoted_prices_survive_32_bits(price):
    sent = np.array([[float(np.float32(float(price)))]])
    assert feeds_yfinance._as_quoted(sent, adjusted=False)[0, 0] == float(price)
