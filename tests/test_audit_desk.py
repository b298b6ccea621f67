"""What an audit reads of a desk's outcomes: the versions of its time, and nothing that the bars cannot say yet."""

from __future__ import annotations

import pandas as pd
import pytest

from edgebook.audit.audit_desk import comparable, in_force, newest_bars
from edgebook.files import tables
from edgebook.outcomes.outcomes import as_known
from edgebook.paths import Paths

PLAN = "tp2.0_sl1.5_t12"
NOON = pd.Timestamp("2018-04-10 12:00", tz="UTC")
SERIES = {"pair": "A/USD", "timeframe": "1d"}


def days(*texts: str | None) -> pd.DatetimeIndex:
    return pd.to_datetime(list(texts), utc=True, format="ISO8601").as_unit("ms")


def outcomes(*rows: tuple[str, str, str | None, float]) -> pd.DataFrame:
    """The desk's longs by decision, close and since when they are read; R is the last."""
    decided, closed, since, r = zip(*rows, strict=True)
    table = pd.DataFrame({"date": days(*decided), "is_short": False, "close_date": days(*closed)}).assign(**SERIES)
    return table.assign(
        known_at=days(*closed), source="recorded", exit_reason="time_exit", bars_held=3, mae=-0.4, mfe=1.5,
        r_multiple=r, revised_at=days(*since), snapshot=pd.Timestamp("2018-04-09", tz="UTC"),
    )  # fmt: skip


@pytest.fixture
def full(tmp_path) -> Paths:
    """Daily bars to the 12th, four outcomes."""
    paths = Paths(tmp_path / "full")
    bars = pd.DataFrame({"date": days(*[f"2018-04-{day:02d}" for day in range(2, 13)])}).assign(**SERIES)
    tables.write(bars[tables.KEY], paths.bars)
    known = outcomes(
        ("2018-04-02", "2018-04-04 05:00", None, 0.5),
        ("2018-04-02", "2018-04-04 05:00", "2018-04-11", 0.4),
        ("2018-04-03", "2018-04-10 07:00", None, 0.3),
        ("2018-04-10", "2018-04-10 08:00", None, 0.2),
    )
    tables.write(known, paths.outcomes / f"{PLAN}.parquet")
    return paths


def read(paths: Paths) -> pd.DataFrame:
    return as_known(tables.read(paths.outcomes / f"{PLAN}.parquet"))


def test_a_correction_is_read_from_its_day_and_an_outcome_once_its_candidate_is_there(full, tmp_path):
    """The last of the trades was over before the bar of its entry had closed: its candidate is known that night."""
    at_noon = in_force(full, at=NOON, into=Paths(tmp_path / "noon"))
    assert read(at_noon)["r_multiple"].tolist() == [0.5, 0.3]
    later = in_force(full, at=NOON + pd.Timedelta(days=1), into=Paths(tmp_path / "later"))
    assert read(later)["r_multiple"].tolist() == [0.4, 0.3, 0.2]
    assert tables.read(at_noon.bars).equals(tables.read(full.bars)), "bars are not cut"


def test_what_the_bars_say_of_a_trade_is_not_compared_before_they_have_closed(full):
    newest = newest_bars(tables.read(full.bars), at=NOON)
    shown = comparable(tables.read(full.outcomes / f"{PLAN}.parquet"), newest).set_index("date")
    assert shown.loc[days("2018-04-02", "2018-04-03"), "mae"].tolist() == [-0.4, 0.0]
    assert shown.loc[days("2018-04-02", "2018-04-03"), "bars_held"].tolist() == [3, 0]
    assert (shown["r_multiple"] != 0).all()


def test_without_a_desk_nothing_is_laid_out(full, tmp_path):
    known = read(full).assign(source="simulated")
    tables.write(known, full.outcomes / f"{PLAN}.parquet")
    assert in_force(full, at=NOON, into=Paths(tmp_path / "noon")) is full
    assert comparable(known, newest_bars(tables.read(full.bars), at=NOON)) is known
