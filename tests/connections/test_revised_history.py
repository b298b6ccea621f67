"""A history whose past was split on the way, received or in a folder, derived again byte for byte."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from edgebook.loop import epochs
from edgebook.loop.history import backfill
from edgebook.loop.rederive import rederive
from edgebook.paths import Paths
from edgebook.seals.seals import sealed_weeks
from edgebook.sources.known_bars import RECEIVED_FOLDER, bars_as_of, revised_mondays
from edgebook.sources.received import append, close
from small_market import GENESIS, small_bars, write_settings, write_tables

if TYPE_CHECKING:
    from edgebook.settings.params import Params

WEEKS = ["2018-04-02", "2018-04-09", "2018-04-16", "2018-04-23"]
SPLIT = "2018-04-16"
"""The week that ends here is received on a new scale, with its past."""
SPLIT_IN_WEEK = "2018-04-11T16:00:00Z"


def receive_until(monday: str, paths: Paths) -> None:
    """What a source says at a Monday: from the split on, one pair at half its price and twice its volume."""
    moment = pd.Timestamp(monday, tz="UTC")
    bars = small_bars()
    said = bars[bars["date"] <= moment].reset_index(drop=True)
    if monday >= SPLIT:
        halved = said["pair"] == said["pair"].iloc[0]
        for name in ("open", "high", "low", "close"):
            said[name] = said[name].where(~halved, said[name] / 2)
        said["volume"] = said["volume"].where(~halved, said["volume"] * 2)
    folder = paths.root / RECEIVED_FOLDER
    append(said, folder=folder, known_at=moment + pd.Timedelta(minutes=10))
    close(folder, up_to=moment, known_at=moment + pd.Timedelta(minutes=10))


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> tuple[Params, Paths]:
    """Four weeks, each sealed on the bars as they were then."""
    paths = Paths(tmp_path_factory.mktemp("received"))
    source = {"source: synthetic": "source: database\n  database: {url: DESK_BARS}"}
    params = write_settings(paths, changes=source)
    for week in WEEKS:
        params = replace(params, run=replace(params.run, as_of=week, genesis=GENESIS))
        receive_until(week, paths)
        write_tables(bars_as_of(params.bars, root=paths.root, as_of=week), params, paths=paths)
        backfill(params, paths, until=week)
    return params, paths


def test_a_history_whose_bars_were_split_is_derived_again(desk):
    params, paths = desk
    assert sealed_weeks(paths, "main") == WEEKS
    assert revised_mondays(params.bars, root=paths.root) == [SPLIT]
    assert rederive(params, paths) == []


def test_on_the_newest_bars_alone_it_would_differ(desk, monkeypatch):
    params, paths = desk
    monkeypatch.setattr(epochs, "revised_mondays", lambda bars, **_: [])
    assert any("2018-04-09" in line for line in rederive(params, paths))


# --- a folder, whose splits stand in a file of their own


@pytest.fixture(scope="module")
def folder_desk(tmp_path_factory) -> tuple[Params, Paths]:
    """The same, where the file of the splits has its row from the week of the split on."""
    paths = Paths(tmp_path_factory.mktemp("folder"))
    source = {"source: synthetic": "source: folder\n  files: {split_factors: data/splits.csv}"}
    params = write_settings(paths, changes=source)
    raw = paths.root / "data" / "raw"
    raw.mkdir(parents=True)
    bars = small_bars()
    split = (bars["pair"] == bars["pair"].iloc[0]) & (bars["date"] > pd.Timestamp(SPLIT_IN_WEEK))
    for name in ("open", "high", "low", "close"):
        bars = bars.assign(**{name: bars[name].where(~split, bars[name] / 2)})
    for (pair, timeframe), own in bars.groupby(["pair", "timeframe"]):
        text = own.drop(columns=["pair", "timeframe"]).to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
        (raw / f"{pair.replace('/', '-')}_{timeframe}.csv").write_text(text, encoding="utf-8")
    factors, row = paths.root / "data" / "splits.csv", f"{bars['pair'].iloc[0]},{SPLIT_IN_WEEK},2\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEBOOK_ROOT", str(paths.root))
        for week in WEEKS:
            factors.write_text(f"pair,date,factor\n{row if week >= SPLIT else ''}", encoding="utf-8")
            params = replace(params, run=replace(params.run, as_of=week, genesis=GENESIS))
            write_tables(bars_as_of(params.bars, root=paths.root, as_of=week), params, paths=paths)
            backfill(params, paths, until=week)
    return params, paths


def test_a_history_whose_folder_was_split_is_derived_again(folder_desk, monkeypatch):
    params, paths = folder_desk
    monkeypatch.setenv("EDGEBOOK_ROOT", str(paths.root))
    assert revised_mondays(params.bars, root=paths.root) == [SPLIT]
    assert rederive(params, paths) == []
    monkeypatch.setattr(epochs, "revised_mondays", lambda bars, **_: [])
    assert any("2018-04-09" in line for line in rederive(params, paths))


def test_a_split_counts_from_the_first_monday_that_knows_it(tmp_path, monkeypatch):
    params = write_settings(
        Paths(tmp_path), changes={"source: synthetic": "source: folder\n  files: {split_factors: splits.csv}"}
    )
    monkeypatch.setenv("EDGEBOOK_ROOT", str(tmp_path))
    dates = ("2018-04-09", "2018-04-09T00:00:01Z", "2018-04-11", "2018-04-22T23:00:00Z")
    rows = "".join(f"P{number},{date},2\n" for number, date in enumerate(dates))
    (tmp_path / "splits.csv").write_text(f"pair,date,factor\n{rows}", encoding="utf-8")
    assert revised_mondays(params.bars, root=tmp_path) == ["2018-04-09", "2018-04-16", "2018-04-23"]
