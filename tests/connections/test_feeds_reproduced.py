"""Weeks whose bars come from an exchange or from Yahoo: fetched, reproduced, a week more, and derived again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
import yfinance.base
from click.testing import CliRunner
from yfinance.data import YfData

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from desk_repository import FIRST, NEXT, make_repository, run, settings
from exchanges import Binance, send_here
from market_folders import stock_folder
from wire import Server
from yahoo import Share, Yahoo, session_to

from edgebook.cli import cli
from edgebook.files import tables
from edgebook.seals.seals import read_head, sealed_weeks
from edgebook.sources import feeds_patience, feeds_yfinance
from small_market import GENESIS, small_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edgebook.paths import Paths

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # yfinance's own, of pandas

SIMULATED = "outcomes: {source: simulated}\n"
PRICES = ["open", "high", "low", "close", "volume"]


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(feeds_patience, "FIRST_WAIT_SECONDS", 0.002)
    monkeypatch.setattr(feeds_patience, "LONGEST_WAIT_SECONDS", 0.01)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def opened() -> Iterator[list[Server]]:
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.close()


@pytest.fixture
def here(monkeypatch) -> Callable[..., str]:
    """A command as typed in a repository, but in this process, whose exchanges are on loopback; what it said."""

    def command(paths: Paths, *words: str) -> str:
        for name, value in (("EDGEBOOK_ROOT", paths.root), ("PYTHONPATH", paths.root / "src")):
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
        monkeypatch.chdir(paths.root)
        done = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return command


def test_an_exchange_feeds_one_week_after_the_other(tmp_path, monkeypatch, opened, here):
    """The whole past comes in the first fetch, in pages, some of which break; the week after comes with `weekly`."""
    bars = small_bars()
    exchange = Binance(candles(bars, until=FIRST), interval="4h", most=200)
    opened.append(Server(exchange))
    send_here(monkeypatch, "binance", opened[0])
    opened[0].misbehave(7, requests=12)
    pairs = sorted(set(bars["pair"]))
    feed = f'{{pairs: {pairs}, since: "2018-01-01", timeframe: 4h, timeout_seconds: 1.0, retries: 12}}'
    paths = make_repository(tmp_path / "mine", settings=settings(SIMULATED, bars=f"source: ccxt\n  feed: {feed}"))
    here(paths, "data", "fetch")
    run(paths.root, "dvc", "repro")
    assert "nothing to do" in here(paths, "weekly")
    exchange.candles = candles(bars, until=NEXT)
    said = here(paths, "weekly")
    assert f"{NEXT} sealed" in said, said
    known = bars[bars["date"] <= pd.Timestamp(NEXT, tz="UTC")].reset_index(drop=True)
    pd.testing.assert_frame_equal(tables.read(paths.bars), known)
    holds(paths, weeks=(GENESIS, FIRST, NEXT))


def test_yahoo_feeds_one_week_after_the_other_though_a_share_goes(tmp_path, monkeypatch, opened, here):
    """Stocks by the hour, with sessions and Good Friday; one is delisted, and Yahoo soon knows it no more."""
    shares = listed(tmp_path / "csv")
    monkeypatch.setattr(yfinance.base, "_tz_info_fetch_ctr", 0)
    yahoo = Yahoo(shares, now="2018-04-02 01:00")
    opened.append(Server(yahoo, faulty="/v8/"))
    data = YfData(session=session_to(opened[0]))
    data._cookie = data._crumb = None
    monkeypatch.setattr(feeds_yfinance, "_now", lambda: yahoo.now.as_unit("ms"))
    opened[0].misbehave(3, requests=12)
    feed = f'{{pairs: {sorted(shares)}, since: "2017-12-18", timeframe: 1h, timeout_seconds: 2.0, retries: 12}}'
    bars = f'source: yfinance\n  holidays: ["2018-03-30"]\n  feed: {feed}'
    text = settings(SIMULATED, week="2018-04-02", before="2018-03-26", bars=bars)
    for old, new in (("timeframes: [4h, 1d]", "timeframes: [1h, 1d]"), ('2018-04-02"}\nbars', '2018-03-12"}\nbars')):
        assert old in text
        text = text.replace(old, new)
    paths = make_repository(tmp_path / "mine", settings=text)
    here(paths, "data", "fetch")
    run(paths.root, "dvc", "repro")
    gone = shares.pop("S002")
    yahoo.now = pd.Timestamp("2018-04-09 01:00", tz="UTC")
    said = here(paths, "weekly")
    assert "2018-04-09 sealed" in said, said
    bars = tables.read(paths.bars)
    last = bars[bars["timeframe"] == "1h"].groupby("pair")["date"].max().dt.tz_localize(None).dt.normalize()
    assert last.to_dict() == dict.fromkeys(shares, pd.Timestamp("2018-04-06")) | {"S002": max(gone.days)}
    holds(paths, weeks=("2018-03-12", "2018-04-02", "2018-04-09"))


def holds(paths: Paths, *, weeks: tuple[str, str, str]) -> None:
    """Nothing is left to do, the reports are there, and every week comes again from what was received."""
    assert "up to date" in run(paths.root, "dvc", "repro")
    sealed = sealed_weeks(paths, "main")
    assert (sealed[0], *sealed[-2:]) == weeks
    assert f"{len(sealed)} weeks derived again, every byte the same" in run(paths.root, "edgebook", "rederive")
    for week in weeks[1:]:
        assert (paths.reports / week / "index.html").stat().st_size > 100_000
        assert read_head(paths, history="main", as_of=week)["as_of"] == week


def candles(bars: pd.DataFrame, *, until: str) -> dict[str, list[list[float]]]:
    """Bars of four hours as an exchange has them: stamped at the open."""
    shown = bars[(bars["timeframe"] == "4h") & (bars["date"] <= pd.Timestamp(until, tz="UTC"))]
    opens = (shown["date"] - pd.Timedelta(hours=4)).dt.as_unit("ms").astype("int64")
    return {
        pair: [[int(at), *row] for at, row in zip(opens[own.index], own[PRICES].to_numpy().tolist(), strict=True)]
        for pair, own in shown.groupby("pair")
    }


def listed(folder: Path) -> dict[str, Share]:
    """Four stocks of New York; the third is delisted before the weeks begin."""
    stock_folder(folder, weeks=16, start="2017-12-18", daily_only=True)
    found = {}
    for file in sorted(folder.glob("*_1d.csv")):
        rows = pd.read_csv(file, parse_dates=["date"])
        days = rows["date"].dt.tz_convert("America/New_York").dt.tz_localize(None).dt.normalize()
        rows["volume"] = rows["volume"].astype("int64")
        found[file.name[:4]] = Share(
            "America/New_York", "09:30", "16:00", dict(zip(days, rows[PRICES].itertuples(index=False), strict=True))
        )
    return found
