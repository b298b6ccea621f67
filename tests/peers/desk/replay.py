"""Inside .venv-freqtrade: freqtrade trades a market of candles in a file, as a dry run and as a backtest.

`python replay.py CANDLES.csv OUTPUT` writes the database of a dry run (futures, both sides, leverage 2) and the zip of
a backtest (spot). The bot, its orders, its persistence and its backtest are freqtrade's own; only what it
would ask of an exchange is answered from the file, and the clock is that of the candles.
"""

from __future__ import annotations

import logging
import random
import sys
import uuid
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import PropertyMock, patch

import pandas as pd
import time_machine

HERE = Path(__file__).resolve().parent
FEE, FUNDING_PER_HOUR = 0.0005, 0.00001
BEGIN, END, FORCED = "2018-04-02", "2018-06-04", "2018-04-11 13:00"
HOURS = pd.Timedelta("1h")
COLUMNS = ["date", "open", "high", "low", "close", "volume"]


class Feed:
    """The candles of every pair, and what of them is known at a time."""

    def __init__(self, file: Path, *, futures: bool) -> None:
        table = pd.read_csv(file, parse_dates=["date"])
        self.candles = {}
        for (pair, timeframe), rows in table.groupby(["pair", "timeframe"]):
            # freqtrade stamps a candle with its open, ours have their close.
            opened = rows.assign(date=rows["date"] - pd.Timedelta(timeframe))
            name = f"{pair}:{pair.split('/')[1]}" if futures else pair
            self.candles[name, timeframe] = opened[["date", "open", "high", "low", "close", "volume"]].reset_index(
                drop=True
            )
        self.pairs = sorted({pair for pair, _ in self.candles})
        self.closes = {pair: self.candles[pair, "1h"].set_index("date")["close"] for pair in self.pairs}
        self.futures = futures

    def known(self, pair: str, timeframe: str) -> pd.DataFrame:
        """Candles that have closed by the clock."""
        rows = self.candles[pair, timeframe]
        return rows[rows["date"] + pd.Timedelta(timeframe) <= pd.Timestamp.now("UTC")].tail(200).reset_index(drop=True)

    def price(self, pair: str) -> float:
        """Close of the last hour that has closed by the clock."""
        return float(self.closes[pair][pd.Timestamp.now("UTC").floor("h") - HOURS])

    def ticker(self, pair: str) -> dict:
        """A market without a spread."""
        price = self.price(pair)
        return {"symbol": pair, "bid": price, "ask": price, "last": price, "quoteVolume": 1e9, "percentage": 0.0}

    def book(self, pair: str) -> dict:
        """An order book of one price and more than enough of it."""
        price = self.price(pair)
        return {"symbol": pair, "bids": [[price, 1e9]], "asks": [[price, 1e9]]}

    def market(self, pair: str) -> dict:
        """What ccxt says of a pair."""
        base, quote = pair.split(":")[0].split("/")
        return {
            "id": pair, "symbol": pair, "base": base, "quote": quote, "active": True, "spot": not self.futures,
            "swap": self.futures, "future": False, "linear": self.futures, "contract": self.futures,
            "contractSize": 1.0, "settle": quote if self.futures else None, "info": {},
            "type": "swap" if self.futures else "spot",
            "precision": {"amount": 1e-8, "price": 1e-8}, "taker": FEE, "maker": FEE,
            "limits": {"amount": {"min": 1e-8, "max": None}, "price": {"min": None, "max": None},
                       "cost": {"min": 1.0, "max": None}, "leverage": {"min": 1.0, "max": 5.0}},
        }  # fmt: skip


def settings(feed: Feed, output: Path) -> dict:
    """freqtrade's configuration, of the least that it asks for."""
    return {
        "dry_run": True, "dry_run_wallet": 10_000, "stake_currency": "USD", "stake_amount": 1000, "max_open_trades": 2,
        "trading_mode": "futures" if feed.futures else "spot", "margin_mode": "isolated" if feed.futures else "",
        "liquidation_buffer": 0.05, "timeframe": "4h",
        "strategy": "BothSides" if feed.futures else "OneSide", "strategy_path": str(HERE),
        "user_data_dir": output, "datadir": output / "data", "exportfilename": None,
        "exchange": {"name": "binance", "pair_whitelist": feed.pairs, "pair_blacklist": [], "enable_ws": False},
        "entry_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "exit_pricing": {"price_side": "other", "use_order_book": True, "order_book_top": 1},
        "unfilledtimeout": {"entry": 10, "exit": 10, "unit": "minutes"},
        "pairlists": [{"method": "StaticPairList"}], "internals": {"process_throttle_secs": 5},
        "dataformat_ohlcv": "feather",
        "initial_state": "running", "bot_name": "desk",
    }  # fmt: skip


def from_file(feed: Feed) -> ExitStack:
    """Answers an exchange would give."""
    from freqtrade.exchange import Binance, Exchange

    def refresh(self, pair_list, **_):
        found = {(pair, tf, kind): feed.known(pair, tf) for pair, tf, kind in pair_list}
        self._klines.update(found)
        return found

    def markets(self, *_, **__):
        self._markets = {pair: feed.market(pair) for pair in feed.pairs}

    def funding(self, pair, amount, is_short, open_date, close_date=None):
        hours = (pd.Timestamp(close_date or pd.Timestamp.now("UTC")) - pd.Timestamp(open_date)) // HOURS
        return (1 if is_short else -1) * amount * feed.price(pair) * FUNDING_PER_HOUR * max(hours, 0)

    answers = ExitStack()
    for name, answer in {
        "reload_markets": markets, "refresh_latest_ohlcv": refresh, "_fetch_and_calculate_funding_fees": funding,
        "fetch_ticker": lambda self, pair: feed.ticker(pair),
        "fetch_l2_order_book": lambda self, pair, *_: feed.book(pair), "check_time_offset": lambda self: None,
        "get_tickers": lambda self, *_, **__: {pair: feed.ticker(pair) for pair in feed.pairs},
        "get_fee": lambda self, *_, **__: FEE, "validate_timeframes": lambda self, _: None,
        "get_max_leverage": lambda self, *_: 5.0, "fill_leverage_tiers": lambda self: None,
        "get_maintenance_ratio_and_amt": lambda self, *_: (0.005, 0.0),
    }.items():  # fmt: skip
        for kind in (Exchange, Binance):
            if name in vars(kind):
                answers.enter_context(patch.object(kind, name, answer))
    answers.enter_context(patch.object(Exchange, "precisionMode", PropertyMock(return_value=4)))
    answers.enter_context(patch.object(Exchange, "precision_mode_price", PropertyMock(return_value=4)))
    return answers


def dry_run(feed: Feed, output: Path, *, database: str) -> None:
    """One `process()` an hour, seven seconds after it, as a bot that runs would do."""
    from freqtrade.enums import ExitCheckTuple, ExitType, RunMode
    from freqtrade.freqtradebot import FreqtradeBot
    from freqtrade.persistence import Trade

    place = output / database
    place.unlink(missing_ok=True)
    config = settings(feed, output) | {"db_url": f"sqlite:///{place}", "runmode": RunMode.DRY_RUN}
    with from_file(feed), time_machine.travel(pd.Timestamp(BEGIN, tz="UTC").to_pydatetime(), tick=False) as clock:
        bot = FreqtradeBot(config)
        bot.startup()
        forced = False
        for hour in pd.date_range(BEGIN, END, freq="h", tz="UTC", inclusive="left"):
            clock.move_to((hour + pd.Timedelta("7s")).to_pydatetime())
            bot.process()
            if hour >= pd.Timestamp(FORCED, tz="UTC") and not forced:
                for trade in Trade.get_open_trades()[:1]:
                    forced = True
                    bot.execute_trade_exit(
                        trade, feed.price(trade.pair), exit_check=ExitCheckTuple(exit_type=ExitType.FORCE_EXIT)
                    )
                    Trade.commit()
        Trade.commit()
        Trade.session.remove()
        with Trade.session.get_bind().connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
            connection.exec_driver_sql("PRAGMA page_size=1024")
            connection.exec_driver_sql("VACUUM")
        Trade.session.get_bind().dispose()


def backtest(feed: Feed, output: Path) -> None:
    """`freqtrade backtesting --export trades` over the same candles."""
    from freqtrade.data.history import get_datahandler
    from freqtrade.enums import CandleType, RunMode
    from freqtrade.optimize.backtesting import Backtesting
    from freqtrade.persistence import LocalTrade

    folder = output / "data"
    (folder / "futures").mkdir(parents=True, exist_ok=True)
    results = output / "backtest_results"
    results.mkdir(exist_ok=True)
    store = get_datahandler(folder, "feather")
    for (pair, timeframe), rows in feed.candles.items():
        if timeframe == "4h":
            store.ohlcv_store(pair, timeframe, rows.assign(date=rows["date"].dt.as_unit("ms")), CandleType.SPOT)
    config = settings(feed, output) | {
        "runmode": RunMode.BACKTEST, "export": "trades", "exportdirectory": results, "exportfilename": results,
        "timerange": "-".join(day.replace("-", "") for day in (BEGIN, END)), "backtest_cache": "none",
        "original_config": {"strategy": "OneSide", "timeframe": "4h"},
    }  # fmt: skip
    LocalTrade.use_db = False
    with from_file(feed):
        Backtesting(config).start()
    (made,) = results.glob("backtest-result-*.zip")
    made.rename(output / "backtest-result-desk.zip")


def main(candles: str, output: str) -> None:
    """The dry run, then the backtest."""
    logging.disable(logging.INFO)
    draw = random.Random(7)
    with patch("uuid.uuid4", lambda: uuid.UUID(int=draw.getrandbits(128))):
        target = Path(output)
        dry_run(Feed(Path(candles), futures=True), target, database="tradesv3.sqlite")
        backtest(Feed(Path(candles), futures=False), target)


if __name__ == "__main__":
    main(*sys.argv[1:])
