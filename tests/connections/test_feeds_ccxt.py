"""Exchanges through ccxt, on loopback: whatever goes wrong on the way, the bars are those that the exchange has."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import ccxt
import pandas as pd
import pytest
from exchanges import Binance, Coinbase, Kraken, as_bars, random_candles, send_here
from wire import Server

from edgebook.errors import DataError, SettingsError
from edgebook.paths import Paths, repository
from edgebook.running.data_fetch import fetch
from edgebook.settings.bar_feed import Feed
from edgebook.settings.loading import load_params, section
from edgebook.settings.params import Bars
from edgebook.sources import feeds_patience
from edgebook.sources.feeds import fetch_bars
from edgebook.sources.known_bars import bars_as_of
from edgebook.sources.received import as_known, last_received
from edgebook.sources.receiving import receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST, COUNT = "2019-01-01", 1000
END = pd.Timestamp(FIRST, tz="UTC") + pd.Timedelta(hours=COUNT)
UNTIL = END - pd.Timedelta(minutes=30)
"""The last candle has not closed yet."""


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(feeds_patience, "FIRST_WAIT_SECONDS", 0.002)
    monkeypatch.setattr(feeds_patience, "LONGEST_WAIT_SECONDS", 0.01)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve(monkeypatch) -> Iterator[Callable[[str, Any], Server]]:
    opened = []

    def start(name: str, answer: Any) -> Server:
        server = Server(answer)
        opened.append(server)
        send_here(monkeypatch, name, server)
        return server

    yield start
    for server in opened:
        server.close()


def feed(**given: Any) -> Feed:
    settings = {"pairs": ("BTC/USDT", "ETH/USDT"), "since": FIRST, "timeout_seconds": 0.5, "retries": 12}
    return Feed(**settings | given)


def fetched(settings: Feed, *, since=None, until=UNTIL, tell=None) -> pd.DataFrame:
    pages = fetch_bars(settings, source="ccxt", root=None, since=since, until=until, tell=tell)
    return pd.concat(list(pages), ignore_index=True)


def pages_of(settings: Feed, **given: Any) -> tuple[list[pd.DataFrame], BaseException | None]:
    """The pages that came, and what ended them."""
    came = []
    try:
        for page in fetch_bars(settings, source="ccxt", root=None, since=None, until=UNTIL, **given):
            came.append(page)
    except DataError as error:
        return came, error
    return came, None


def assert_same(bars: pd.DataFrame, truth: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(
        bars.sort_values(["pair", "date"], ignore_index=True), truth.reset_index(drop=True), check_dtype=False
    )


@pytest.mark.parametrize("seed", range(4))
def test_whatever_goes_wrong_the_bars_are_those_of_the_exchange(serve, seed):
    candles = random_candles("BTC/USDT", "ETH/USDT", first=FIRST, count=COUNT, seed=seed)
    server = serve("binance", Binance(candles))
    server.misbehave(seed, requests=60)
    told: list[str] = []
    bars = fetched(feed(), tell=told.append)
    truth = as_bars(candles)
    assert_same(bars, truth[truth["date"] <= UNTIL])
    assert told, "nothing went wrong: the test shows nothing"
    assert all("\n" not in line and "127.0.0.1" not in line for line in told)


@pytest.mark.parametrize("untidy", ["backwards", "shuffled", "twice", "from before"])
def test_pages_out_of_order_with_rows_twice_are_put_right(serve, untidy):
    candles = random_candles("BTC/USDT", "ETH/USDT", first=FIRST, count=COUNT)
    exchange = Binance(candles)
    exchange.untidy = untidy
    serve("binance", exchange)
    truth = as_bars(candles)
    assert_same(fetched(feed()), truth[truth["date"] <= UNTIL])


def test_a_bar_that_the_exchange_has_not_closed_is_not_taken_though_our_clock_is_fast(serve):
    now = pd.Timestamp.now("UTC").floor("h")
    candles = random_candles("BTC/USDT", first=f"{now - pd.Timedelta(hours=40):%Y-%m-%d %H:%M}", count=41)
    serve("binance", Binance(candles))
    settings = feed(pairs=("BTC/USDT",), since=f"{now - pd.Timedelta(days=3):%Y-%m-%d}")
    bars = fetched(settings, until=now + pd.Timedelta(hours=2))
    assert bars["date"].max() == now


def test_a_download_that_broke_goes_on_where_it_stopped(serve, tmp_path):
    candles = random_candles("BTC/USDT", "ETH/USDT", first=FIRST, count=COUNT)
    server = serve("binance", Binance(candles, most=100))
    truth = as_bars(candles)
    truth = truth[truth["date"] <= UNTIL]

    def ask(since: Any) -> Iterator[pd.DataFrame]:
        return fetch_bars(feed(retries=1), source="ccxt", root=tmp_path, since=since, until=UNTIL)

    server.plan = [""] * 12 + ["500"] * 2
    with pytest.raises(DataError, match=r"^binance BTC/USDT: is not available .*what was received before is kept"):
        receive(ask, folder=tmp_path / "received", clock=lambda: END)
    last = last_received(tmp_path / "received")
    assert 0 < len(last) < 2
    asked = len(server.asked)
    receive(ask, folder=tmp_path / "received", clock=lambda: END)
    assert_same(pd.concat(as_known(tmp_path / "received", at=END)), truth)
    klines = [path for path in server.asked[asked:] if path.endswith("klines")]
    assert len(klines) < 2 * COUNT / 100 - 3, "what was received was asked for again"


def test_an_exchange_from_the_first_fetch_to_the_table_of_bars(serve, tmp_path):
    candles = random_candles("BTC/USDT", "ETH/USDT", first=FIRST, count=COUNT)
    server = serve("binance", Binance(candles))
    server.misbehave(11, requests=30)
    asked = {"pairs": ["BTC/USDT", "ETH/USDT"], "since": FIRST, "timeout_seconds": 0.5, "retries": 12}
    bars = section(Bars, {"source": "ccxt", "timeframes": ["1h", "4h"], "feed": asked}, where="bars")
    params = dataclasses.replace(load_params(repository() / "params.yaml"), bars=bars)
    said: list[str] = []
    told = fetch(params, Paths(tmp_path), until=f"{UNTIL:%Y-%m-%d %H:%M}", say=said.append)
    assert (told["new"], told["closed"], told["up_to"]) == (2 * COUNT - 2, "2019-02-11", "2019-02-11 15:00")
    assert said, "nothing went wrong: the test shows nothing"
    table = bars_as_of(bars, root=tmp_path, as_of="2019-02-11")
    truth = as_bars(candles)
    truth = truth[truth["date"] <= pd.Timestamp("2019-02-11", tz="UTC")]
    assert_same(table[table["timeframe"] == "1h"], truth)
    assert (table["timeframe"] == "4h").sum() == len(truth) // 4
    again = fetch(params, Paths(tmp_path), until=f"{UNTIL:%Y-%m-%d %H:%M}")
    assert again["line"] == "ccxt: nothing new of 2 series, up to 2019-02-11 15:00 UTC"


def test_a_bar_that_was_corrected_is_seen(serve, tmp_path):
    candles = random_candles("BTC/USDT", first=FIRST, count=COUNT)
    serve("binance", Binance(candles))
    folder = tmp_path / "received"

    def ask(since: Any) -> Iterator[pd.DataFrame]:
        return fetch_bars(feed(pairs=("BTC/USDT",)), source="ccxt", root=tmp_path, since=since, until=UNTIL)

    receive(ask, folder=folder, clock=lambda: END)
    candles["BTC/USDT"][COUNT - 20][4] += 0.25
    told = receive(ask, folder=folder, clock=lambda: END + pd.Timedelta(days=1))
    assert (told.new, told.revised) == (0, 1)


def test_a_server_that_asks_for_time_gets_it_and_one_that_asks_for_too_much_is_left_alone(serve):
    candles = random_candles("BTC/USDT", first=FIRST, count=50)
    server = serve("binance", Binance(candles))
    settings = feed(pairs=("BTC/USDT",), patience_seconds=20.0)
    server.plan = ["", "", "", "429 after 0.4"]
    began = time.monotonic()
    fetched(settings)
    assert time.monotonic() - began >= 0.4
    server.plan = ["", "", "", "429 after 3600"]
    with pytest.raises(DataError, match=r"BTC/USDT: asks for fewer requests \(rate limit\) and asks to wait 3600 s"):
        fetched(settings)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("429", "asks for fewer requests"),
        ("500", "is not available"),
        ("cut short", "sent half an answer"),
        ("text", "sent half an answer"),
        ("half", "connection|half|available"),
        ("reset", "connection|available"),
        ("stall", "did not answer in time"),
    ],
)
def test_what_does_not_pass_ends_in_one_line_and_in_time(serve, fault, says):
    candles = random_candles("BTC/USDT", first=FIRST, count=COUNT)
    server = serve("binance", Binance(candles))
    server.plan = ["", "", "", ""] + [fault] * 50
    came, error = pages_of(feed(pairs=("BTC/USDT",), retries=2, timeout_seconds=0.3))
    assert len(came) == 1, "the page that was whole is not lost"
    assert error is not None
    line = str(error)
    assert pd.Series([line]).str.contains(says).all(), line
    assert line.startswith("binance BTC/USDT: ")
    assert "3 times" in line and "is kept" in line and "\n" not in line and len(line) < 250
    assert len(server.plan) == 47


def test_an_answer_that_drips_is_given_up(serve):
    candles = random_candles("BTC/USDT", first=FIRST, count=COUNT)
    server = serve("binance", Binance(candles))
    server.plan = ["", "", "", "drip"]
    bars = fetched(feed(pairs=("BTC/USDT",), timeout_seconds=0.25))
    truth = as_bars(candles)
    assert_same(bars, truth[truth["date"] <= UNTIL])


def test_patience_ends_however_many_retries_are_left(serve):
    candles = random_candles("BTC/USDT", first=FIRST, count=COUNT)
    server = serve("binance", Binance(candles))
    server.plan = ["500"] * 10_000
    began = time.monotonic()
    with pytest.raises(DataError, match=r"^binance: is not available"):
        fetched(feed(retries=50, patience_seconds=0.3))
    assert time.monotonic() - began < 5


def test_an_unknown_symbol_is_named_after_the_others_were_fetched(serve):
    candles = random_candles("BTC/USDT", "ETH/USDT", first=FIRST, count=50)
    serve("binance", Binance(candles))
    came, error = pages_of(feed(pairs=("BTC/USTD", "ETH/USDT")))
    assert set(pd.concat(came)["pair"]) == {"ETH/USDT"}
    assert str(error).startswith("binance BTC/USTD: no such symbol in bars.feed.pairs; did you mean BTC/USDT?")


def test_a_symbol_that_is_no_longer_listed_is_told_and_its_bars_stay(serve):
    candles = random_candles("ETH/USDT", first=FIRST, count=50)
    serve("binance", Binance(candles))
    told: list[str] = []
    since = {("LUNA/USDT", "1h"): pd.Timestamp(FIRST, tz="UTC")}
    bars = fetched(feed(pairs=("LUNA/USDT", "ETH/USDT")), since=since, tell=told.append)
    assert set(bars["pair"]) == {"ETH/USDT"}
    assert told == ["binance LUNA/USDT: is no longer listed; its bars that were received are kept"]


def test_a_symbol_that_is_not_traded_any_more_gives_what_there_is(serve):
    candles = random_candles("BTC/USDT", first=FIRST, count=50)
    serve("binance", Binance(candles, delisted=("BTC/USDT",)))
    told: list[str] = []
    assert len(fetched(feed(pairs=("BTC/USDT",)), tell=told.append)) == 50
    assert told[0].startswith("binance BTC/USDT: is not traded at present")


def test_a_page_that_is_empty_once_is_asked_for_again(serve):
    candles = random_candles("BTC/USDT", first=FIRST, count=COUNT)
    server = serve("binance", Binance(candles))
    real = server.answer
    empty = iter([False, True, False, True])

    def now_and_then(path: str, query: dict[str, str]) -> Any:
        return [] if path.endswith("klines") and next(empty, False) else real(path, query)

    server.answer = now_and_then
    truth = as_bars(candles)
    assert_same(fetched(feed(pairs=("BTC/USDT",))), truth[truth["date"] <= UNTIL])


def test_a_bar_that_cannot_be_is_refused_or_left_out(serve):
    candles = random_candles("BTC/USDT", first=FIRST, count=50)
    candles["BTC/USDT"][7][2] = 1.0
    serve("binance", Binance(candles))
    _, error = pages_of(feed(pairs=("BTC/USDT",)))
    assert "binance BTC/USDT: sent a bar that cannot be (2019-01-01 08:00: open, high, low, close" in str(error)
    told: list[str] = []
    assert len(fetched(feed(pairs=("BTC/USDT",), impossible="leave_out"), tell=told.append)) == 49
    assert told == ["binance BTC/USDT: 1 bars that cannot be are left out"]


def test_kraken_gives_its_last_720_and_says_so(serve):
    candles = random_candles("XBT/USD", first=FIRST, count=COUNT)
    exchange = Kraken({"BTC/USD": candles["XBT/USD"]})
    serve("kraken", exchange)
    exchange.errors = ["EAPI:Rate limit exceeded", "EService:Unavailable", "EGeneral:Too many requests"]
    told: list[str] = []
    bars = fetched(feed(exchange="kraken", pairs=("BTC/USD",)), tell=told.append)
    truth = as_bars(exchange.candles)
    assert_same(bars, truth.iloc[-720:-1])
    assert told[-1] == "kraken BTC/USD: its bars begin 2019-01-12 17:00; older ones the exchange does not give"


@pytest.mark.parametrize("seed", range(2))
def test_coinbase_gives_spans_the_newest_first_and_nothing_before_the_first(serve, seed):
    candles = random_candles("BTC/USD", first=FIRST, count=COUNT, seed=seed)
    server = serve("coinbase", Coinbase(candles))
    server.misbehave(seed, requests=40)
    bars = fetched(feed(exchange="coinbase", pairs=("BTC/USD",), since="2018-10-01"))
    truth = as_bars(candles)
    assert_same(bars, truth[truth["date"] <= UNTIL])


def test_a_key_is_read_by_its_name_and_shown_nowhere(serve, tmp_path, monkeypatch):
    candles = random_candles("BTC/USDT", first=FIRST, count=50)
    server = serve("binance", Binance(candles))
    settings = feed(pairs=("BTC/USDT",), api_key="DESK_KEY", secret="DESK_SECRET", retries=1)
    with pytest.raises(SettingsError, match=r"^DESK_KEY: no such credential"):
        list(fetch_bars(settings, source="ccxt", root=tmp_path, since=None, until=UNTIL))
    monkeypatch.setenv("DESK_KEY", "hunter22key")
    monkeypatch.setenv("DESK_SECRET", "hunter22secret")
    bars = pd.concat(fetch_bars(settings, source="ccxt", root=tmp_path, since=None, until=UNTIL))
    assert len(bars) == 50
    real = server.answer
    server.answer = lambda path, query: (500, "hunter22key") if path.endswith("klines") else real(path, query)
    with pytest.raises(DataError) as error:
        list(fetch_bars(settings, source="ccxt", root=tmp_path, since=None, until=UNTIL))
    assert "hunter22" not in str(error.value)


def test_settings_that_cannot_be_are_named(serve):
    with pytest.raises(SettingsError, match=r"bars.feed.exchange: ccxt \S+ has no 'binanse'; did you mean binance?"):
        fetched(feed(exchange="binanse"))
    with pytest.raises(SettingsError, match=r"coinbase has no bars of 4h; it has 1m, 5m, 15m, 30m, 1h, 1d"):
        fetched(feed(exchange="coinbase", timeframe="4h"))
    assert "binance" in ccxt.exchanges
