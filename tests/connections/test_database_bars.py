"""Bars out of a real PostgreSQL: types, time zones, read only, a connection that is lost."""

from __future__ import annotations

import pandas as pd
import pytest

from edgebook.errors import DataError
from edgebook.settings.bar_database import Database
from edgebook.sources import database_bars
from edgebook.sources.database_bars import newer_bars
from edgebook.sources.received import as_known, last_received
from edgebook.sources.receiving import receive

UNTIL = pd.Timestamp("2019-08-01", tz="UTC")
SETTINGS = Database(url="DESK_DATABASE", query="market.ohlcv", timeframe="1h", stamp="open")
TABLE = """
create schema market;
create table market.ohlcv as
select pair, ts as date, 100::numeric(12, 4) as open, 101::float8 as high, 99 as low, 100.5::numeric as close,
       (1000 + extract(hour from ts))::bigint as volume
from generate_series('2019-06-01 00:00'::{kind}, '2019-06-30 23:00', interval '1 hour') ts,
     unnest(array['ETH/USD', 'BTC/USD']) pair
"""


def ask(tmp_path, settings=SETTINGS):
    return lambda since: newer_bars(settings, root=tmp_path, since=since, until=UNTIL)


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
def test_bars_of_every_type_are_received_and_then_only_news(postgres, database, tmp_path, kind):
    postgres.execute(TABLE.format(kind=kind), database=database)
    folder, clock = tmp_path / "received", lambda: UNTIL
    assert receive(ask(tmp_path), folder=folder, clock=clock).new == 2 * 720
    assert set(last_received(folder).values()) == {pd.Timestamp("2019-07-01", tz="UTC")}
    first = as_known(folder, at=UNTIL)[0]
    assert first[["open", "high", "low", "close"]].iloc[0].tolist() == [100.0, 101.0, 99.0, 100.5]
    postgres.execute(
        "insert into market.ohlcv select pair, date + interval '1 hour', open, high, low, close, volume from"
        " market.ohlcv where date = '2019-06-30 23:00'",
        database=database,
    )
    told = receive(ask(tmp_path), folder=folder, clock=clock)
    assert (told.new, told.revised) == (2, 0)


def test_nothing_can_be_written(postgres, database, tmp_path):
    postgres.execute(TABLE.format(kind="timestamptz"), database=database)
    postgres.execute("create sequence counter", database=database)
    cunning = Database(url="DESK_DATABASE", query="select nextval('counter') as date")
    with pytest.raises(DataError, match=r"DESK_DATABASE .*read-only transaction"):
        list(ask(tmp_path, cunning)(None))
    assert postgres.execute("select count(*) from market.ohlcv", database=database) == [(1440,)]


def test_a_connection_that_is_lost_keeps_what_had_come(postgres, database, tmp_path, monkeypatch):
    postgres.execute(TABLE.format(kind="timestamptz"), database=database)
    monkeypatch.setattr(database_bars, "PIECE_ROWS", 100)
    folder, clock = tmp_path / "received", lambda: UNTIL

    def cut_off(since):
        for number, bars in enumerate(ask(tmp_path)(since)):
            if number == 3:
                postgres.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'edgebook'",
                    database=database,
                )
            yield bars

    with pytest.raises(DataError, match=r"DESK_DATABASE cannot be read .*nothing has changed"):
        receive(cut_off, folder=folder, clock=clock)
    kept = sum(map(len, as_known(folder, at=UNTIL)))
    assert 0 < kept < 1440
    receive(ask(tmp_path), folder=folder, clock=clock)
    assert sum(map(len, as_known(folder, at=UNTIL))) == 1440
