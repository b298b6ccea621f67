"""Yahoo through yfinance, on loopback: sessions, zones and clock changes, and whatever goes wrong on the way."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import yfinance.base
from wire import Server
from yahoo import Share, Yahoo, random_days, session_to
from yfinance.data import YfData

from edgebook.bars.bars import TIMEFRAMES
from edgebook.errors import DataError, SettingsError
from edgebook.paths import Paths, repository
from edgebook.running.data_fetch import fetch
from edgebook.settings.bar_feed import Feed
from edgebook.settings.loading import load_params, section
from edgebook.settings.params import Bars
from edgebook.sources import feeds_patience, feeds_yfinance
from edgebook.sources.feeds import fetch_bars
from edgebook.sources.known_bars import bars_as_of
from edgebook.sources.received import as_known
from edgebook.sources.receiving import receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = "2026-04-15 18:00"
"""A Wednesday; New York's clocks changed on 8 March, London's and Sydney's on 29 March and 5 April."""

UNTIL = pd.Timestamp(NOW, tz="UTC")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # yfinance's own, of pandas
FAULTS = ("429", "500", "503 page", "cut short", "half", "reset", "stall", "text")


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(feeds_patience, "FIRST_WAIT_SECONDS", 0.002)
    monkeypatch.setattr(feeds_patience, "LONGEST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(feeds_yfinance, "_now", lambda: UNTIL)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, Share]], Server]]:
    opened = []

    def start(shares: dict[str, Share]) -> Server:
        server = Server(Yahoo(shares, now=NOW), faulty="/v8/")
        opened.append(server)
        data = YfData(session=session_to(server))
        data._cookie = data._crumb = None
        return server

    yield start
    for server in opened:
        server.close()
    YfData()._session.close()


def new_york(**given: Any) -> Share:
    days = random_days("2026-01-05", "2026-04-15")
    return Share("America/New_York", "09:30", "16:00", days, **given)


def feed(**given: Any) -> Feed:
    settings = {"pairs": ("AAPL",), "since": "2026-01-01", "timeframe": "1d", "timeout_seconds": 0.6, "retries": 12}
    return Feed(**settings | given)


def fetched(settings: Feed, *, since: Any = None, tell: Any = None) -> pd.DataFrame:
    pages = fetch_bars(settings, source="yfinance", root=None, since=since, until=UNTIL, tell=tell)
    return pd.concat(list(pages), ignore_index=True)


def expected(share: Share, pair: str, timeframe: str, closes: Any) -> pd.DataFrame:
    rows = [(pair, timeframe, closes(at).tz_convert("UTC"), *values) for at, values in share.bars(timeframe)]
    table = pd.DataFrame(rows, columns=["pair", "timeframe", "date", "open", "high", "low", "close", "volume"])
    table["date"] = pd.to_datetime(table["date"], utc=True).dt.as_unit("ms")
    return table[table["date"] <= UNTIL - feeds_yfinance.LAG].reset_index(drop=True)


def next_midnight_utc(at: pd.Timestamp) -> pd.Timestamp:
    return (at.tz_localize(None).normalize() + pd.Timedelta(days=1)).tz_localize("UTC")


def assert_same(bars: pd.DataFrame, truth: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(bars, truth, check_dtype=False, rtol=0, atol=0)


def test_a_session_closes_at_the_midnight_that_follows_and_todays_is_not_there_yet(serve):
    share = new_york()
    serve({"AAPL": share})
    bars = fetched(feed())
    assert_same(bars, expected(share, "AAPL", "1d", next_midnight_utc))
    assert bars["date"].iloc[-1] == pd.Timestamp("2026-04-15", tz="UTC")
    assert str(bars["date"].dtype) == "datetime64[ms, UTC]"


def test_prices_are_those_that_were_quoted_not_their_32_bit_neighbours(serve):
    share = new_york()
    share.days[pd.Timestamp("2026-01-05")] = (150.2, 151.3, 149.1, 150.7, 1234)
    serve({"AAPL": share})
    first = fetched(feed()).iloc[0]
    assert first[["open", "high", "low", "close", "volume"]].tolist() == [150.2, 151.3, 149.1, 150.7, 1234.0]


@pytest.mark.parametrize("timeframe", ["1h", "15m", "30m"])
def test_bars_within_a_session_close_a_bar_after_their_open_on_both_sides_of_a_clock_change(serve, timeframe):
    share = new_york()
    serve({"AAPL": share})
    told: list[str] = []
    bars = fetched(feed(timeframe=timeframe, since="2026-03-02"), tell=told.append)
    length = pd.Timedelta(minutes=TIMEFRAMES[timeframe])
    if timeframe == "30m":  # yfinance makes them of quarters
        assert bars["date"].min() == pd.Timestamp("2026-03-02 15:00", tz="UTC")
        assert (bars["date"].diff().dropna() >= length).all()
        return
    truth = expected(share, "AAPL", timeframe, lambda at: at + length)
    assert_same(bars, truth[truth["date"] > pd.Timestamp("2026-03-02", tz="UTC")].reset_index(drop=True))
    hours = bars["date"].dt.strftime("%m-%d %H:%M")
    if timeframe == "1h":
        assert {"03-06 15:30", "03-09 14:30"} <= set(hours)
    assert told == []


def test_a_currencys_day_closes_when_the_next_begins_and_sydneys_before_its_next_session(serve):
    days = random_days("2026-03-23", "2026-04-15", price=1.2)
    euro = Share("Europe/London", "00:00", "23:59", {d: (*v[:4], 0) for d, v in days.items()}, kind="CURRENCY")
    bhp = Share("Australia/Sydney", "10:00", "16:00", random_days("2026-03-23", "2026-04-15"))
    serve({"EURUSD=X": euro, "BHP.AX": bhp})
    bars = fetched(feed(pairs=("EURUSD=X", "BHP.AX")))
    by = {pair: own["date"].dt.strftime("%m-%d %H:%M").tolist() for pair, own in bars.groupby("pair")}
    assert by["EURUSD=X"][3:7] == ["03-27 00:00", "03-28 00:00", "03-30 23:00", "03-31 23:00"]
    assert by["BHP.AX"][0] == "03-23 20:00"
    assert len(by["BHP.AX"]) == 17


@pytest.mark.parametrize("seed", range(3))
def test_whatever_goes_wrong_the_bars_are_those_of_yahoo(serve, seed, monkeypatch):
    monkeypatch.setitem(feeds_yfinance.SPANS, "1d", (None, 25))
    share, other = new_york(), new_york()
    server = serve({"AAPL": share, "MSFT": other})
    server.misbehave(seed, requests=60, faults=FAULTS)
    told: list[str] = []
    bars = fetched(feed(pairs=("AAPL", "MSFT")), tell=told.append)
    truth = [expected(one, pair, "1d", next_midnight_utc) for pair, one in (("AAPL", share), ("MSFT", other))]
    assert_same(bars, pd.concat(truth, ignore_index=True))
    assert told, "nothing went wrong: the test shows nothing"
    assert all("\n" not in line and "127.0.0.1" not in line for line in told)


def test_a_dividend_changes_the_adjusted_past_and_not_the_prices_as_they_were(serve, tmp_path):
    share = new_york()
    serve({"AAPL": share})

    def ask(settings: Feed) -> Any:
        return lambda since: fetch_bars(settings, source="yfinance", root=tmp_path, since=since, until=UNTIL)

    for adjusted in (True, False):
        receive(ask(feed(adjusted=adjusted)), folder=tmp_path / str(adjusted), clock=lambda: UNTIL)
    share.dividends[pd.Timestamp("2026-04-14")] = 1.5
    days = pd.Timedelta(days=1)
    plain = receive(ask(feed()), folder=tmp_path / "False", clock=lambda: UNTIL + days)
    assert (plain.new, plain.revised) == (0, 0)
    whole = receive(ask(feed(adjusted=True)), folder=tmp_path / "True", clock=lambda: UNTIL + days)
    (now,) = as_known(tmp_path / "True", at=UNTIL + days)
    assert whole.revised == len(now) - 1, "every bar before the day of the dividend"
    before = share.days[pd.Timestamp("2026-04-13")][3]
    (raw,) = as_known(tmp_path / "False", at=UNTIL + days)
    ratio = now["close"] / raw["close"]
    assert ratio.iloc[:-1].tolist() == pytest.approx([1 - 1.5 / before] * (len(ratio) - 1), rel=1e-5)
    assert ratio.iloc[-1] == 1.0


def test_shares_from_the_first_fetch_to_the_table_of_bars(serve, tmp_path):
    share, tokyo = new_york(), Share("Asia/Tokyo", "09:00", "15:30", random_days("2026-01-05", "2026-04-15", seed=2))
    serve({"AAPL": share, "7203.T": tokyo})
    asked = {"pairs": ["AAPL", "7203.T"], "since": "2026-01-01", "timeframe": "1d", "timeout_seconds": 2.0}
    bars = section(Bars, {"source": "yfinance", "timeframes": ["1d"], "feed": asked}, where="bars")
    params = dataclasses.replace(load_params(repository() / "params.yaml"), bars=bars)
    told = fetch(params, Paths(tmp_path), until=NOW)
    assert (told["series"], told["closed"], told["up_to"]) == (2, "2026-04-13", "2026-04-15 00:00")
    table = bars_as_of(bars, root=tmp_path, as_of="2026-04-13")
    truth = [expected(one, pair, "1d", next_midnight_utc) for pair, one in (("7203.T", tokyo), ("AAPL", share))]
    whole = pd.concat(truth)
    assert_same(table, whole[whole["date"] <= pd.Timestamp("2026-04-13", tz="UTC")].reset_index(drop=True))


def test_days_further_back_than_yahoo_goes_are_told_in_one_line(serve):
    serve({"AAPL": new_york()})
    told: list[str] = []
    bars = fetched(feed(timeframe="15m", since="2020-01-01"), tell=told.append)
    assert told == ["Yahoo AAPL: Yahoo has 15m bars of the last 60 days only; they begin 2026-02-15"]
    assert bars["date"].min() > pd.Timestamp("2026-02-15", tz="UTC")
    with pytest.raises(SettingsError, match=r"Yahoo has no bars of 4h; ask for 1h"):
        fetched(feed(timeframe="4h"))


def test_an_unknown_symbol_is_named_after_the_others_were_fetched(serve, monkeypatch):
    monkeypatch.setattr(yfinance.base, "_tz_info_fetch_ctr", 0)
    serve({"MSFT": new_york()})
    came = []
    with pytest.raises(DataError, match=r"^Yahoo AAPLE: knows no such symbol, or no longer; see whether") as error:
        for page in fetch_bars(feed(pairs=("AAPLE", "MSFT")), source="yfinance", root=None, since=None, until=UNTIL):
            came.append(page)
    assert set(pd.concat(came)["pair"]) == {"MSFT"}
    assert "\n" not in str(error.value)


def test_a_share_that_is_gone_is_told_and_its_bars_stay(serve):
    share = Share("America/New_York", "09:30", "16:00", random_days("2026-01-05", "2026-02-27"))
    serve({"TWTR": share})
    told: list[str] = []
    since = {("TWTR", "1d"): pd.Timestamp("2026-03-10", tz="UTC")}
    pages = fetch_bars(feed(pairs=("TWTR",)), source="yfinance", root=None, since=since, until=UNTIL, tell=told.append)
    assert list(pages) == []
    assert told == ["Yahoo TWTR: has no bars since 2026-03-10; what was received is kept"]


def test_a_share_that_yahoo_knows_no_more_holds_up_no_other(serve, monkeypatch):
    monkeypatch.setattr(yfinance.base, "_tz_info_fetch_ctr", 0)
    serve({"MSFT": new_york()})
    told: list[str] = []
    since = {(pair, "1d"): pd.Timestamp("2026-03-10", tz="UTC") for pair in ("GONE", "MSFT")}
    bars = fetched(feed(pairs=("GONE", "MSFT")), since=since, tell=told.append)
    assert set(bars["pair"]) == {"MSFT"}
    assert told[-1] == "Yahoo GONE: is no longer listed; its bars that were received are kept"


@pytest.mark.parametrize(
    ("fault", "says"),
    [("429", "asks for fewer requests"), ("503 page", "half an answer"), ("stall", "did not answer in time")],
)
def test_what_does_not_pass_ends_in_one_line(serve, fault, says):
    server = serve({"AAPL": new_york()})
    server.plan = [fault] * 60
    with pytest.raises(DataError) as error:
        fetched(feed(retries=2, timeout_seconds=0.3))
    line = str(error.value)
    assert line.startswith("Yahoo AAPL: ") and says in line and "3 times" in line and "is kept" in line, line
    assert "\n" not in line
