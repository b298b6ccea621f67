"""FX without volume, stocks with sessions, minute crypto: from a folder of CSV files through every stage."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from market_folders import fx_folder, minute_folder, stock_folder

from edgebook.files import tables
from edgebook.indicators import family
from edgebook.loop.history import backfill
from edgebook.loop.rederive import rederive
from edgebook.pages.report_names import REPORTS
from edgebook.paths import Paths, repository
from edgebook.running.data_check import check_data
from edgebook.seals.seals import read_seal, sealed_weeks
from edgebook.settings.loading import load_params
from edgebook.settings.settings_yaml import read_mapping
from edgebook.stages.stages import run_stage
from small_market import small_bars, write_settings, write_tables

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Kind:
    """A market, and what params.yaml says of it."""

    make: Callable[[Path], list[str]]
    genesis: str
    previous: str
    as_of: str
    bars: str
    candidates: str
    days_per_year: int


KINDS = {
    "FX": Kind(
        lambda folder: fx_folder(folder, weeks=14),
        genesis="2018-03-26",
        previous="2018-04-02",
        as_of="2018-04-09",
        bars="{source: folder, timeframes: [1h, 4h], files: {volume: none, stamp: close}}",
        candidates="fee_bps: 0.5\n  slippage_bps: 0.5",
        days_per_year=313,
    ),
    "stocks": Kind(  # the last week ends with Good Friday
        lambda folder: stock_folder(folder, weeks=15, start="2017-12-18"),
        genesis="2018-03-12",
        previous="2018-03-26",
        as_of="2018-04-02",
        bars='{source: folder, timeframes: [1h, 1d], holidays: ["2018-03-30"]}',
        candidates="fee_bps: 2.0\n  slippage_bps: 2.0",
        days_per_year=252,
    ),
    "minutes": Kind(
        lambda folder: minute_folder(folder, weeks=13),
        genesis="2019-04-01",
        previous="2019-04-01",
        as_of="2019-04-08",
        bars="{source: folder, timeframes: [15m]}",
        candidates="fee_bps: 1.0\n  slippage_bps: 1.0",
        days_per_year=365,
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_folder_of_csv_files_goes_through_every_stage(name, tmp_path, monkeypatch):
    kind = KINDS[name]
    paths = settled(kind, tmp_path / "mine")
    monkeypatch.setenv("EDGEBOOK_ROOT", str(paths.root))
    params = load_params(paths.params)
    found = check_data(params, paths)
    assert found["stopped"] == 0, found["findings"]

    told = {stage: run_stage(stage, paths=paths) for stage in read_mapping(paths.root / "dvc.yaml")["stages"]}
    reports = paths.report(as_of=kind.as_of)
    for report in [*REPORTS, "index"]:
        page = (reports / f"{report}.html").read_text(encoding="utf-8")
        assert len(page) > 10_000 and not re.search(r">\s*(nan|inf|NaT)\s*<", page), report
    summary = (reports / "summary.md").read_text(encoding="utf-8")
    assert f"mine, week to {kind.as_of}; market folder" in summary
    tear_sheet = (reports / "tear_sheet.html").read_text(encoding="utf-8")
    assert f"{kind.days_per_year} trading days a year" in tear_sheet

    asleep = "Head F (Volume flow) sleeps: the bars have no volume."
    values = tables.read(paths.indicators)[list(family("F"))]
    assert values.isna().all(axis=None) == (asleep in summary) == (name == "FX")

    weeks = sealed_weeks(paths, "mine")
    assert weeks[0] == kind.genesis and weeks[-1] == kind.as_of
    seal = read_seal(paths, history="mine", as_of=kind.as_of)
    trades = pd.concat([read_seal(paths, history="mine", as_of=week).ledger for week in weeks])
    assert (trades["status"] == "closed").any()
    scores = trades["head_scores"].str.extract(r"F:([^;]+)")[0].astype(float)
    assert (scores == 0).all() == (name == "FX")
    assert seal.head["champion_version"] in told["learn"]

    assert rederive(params, paths) == []


def test_a_symbol_that_joins_late_leaves_every_seal_before_as_it_was(tmp_path):
    joins, until = "2018-04-16", "2018-04-30"
    old = small_bars()[lambda bars: bars["date"] <= pd.Timestamp(until, tz="UTC")]
    one = old[old["pair"] == old["pair"].iloc[0]]
    late = one[one["date"] > pd.Timestamp(joins, tz="UTC")].assign(pair="NEW/USD")
    prices = ["open", "high", "low", "close"]
    late[prices] = late[prices].iloc[::-1].to_numpy()[:, [3, 1, 2, 0]]  # a way of its own: the same run backwards
    weeks = {}
    for name, bars in (("before", old), ("after", pd.concat([old, late]))):
        paths = Paths(tmp_path / name)
        params = write_settings(paths)
        bars = bars.sort_values(["pair", "timeframe", "date"], ignore_index=True)
        write_tables(bars, params, paths=paths)
        backfill(params, paths, until=until)
        weeks[name] = {week: sealed(paths, week) for week in sealed_weeks(paths, "main")}
    assert weeks["before"].keys() == weeks["after"].keys()
    same = [week for week, files in weeks["before"].items() if files == weeks["after"][week]]
    assert same == ["2018-04-02", "2018-04-09", "2018-04-16"]  # and from then on it is another market


def sealed(paths: Paths, week: str) -> dict[str, bytes]:
    """All files of a seal."""
    folder = paths.root / "models" / "main" / week
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def settled(kind: Kind, root: Path) -> Paths:
    """A repository with a folder of bars, the notebooks, and settings of its own."""
    paths = Paths(root)
    write_settings(
        paths,
        changes={
            'run: {history: main, as_of: "2018-05-28", previous: "2018-05-21", genesis: "2018-04-02"}': "run: "
            f'{{history: mine, as_of: "{kind.as_of}", previous: "{kind.previous}", genesis: "{kind.genesis}"}}',
            "fee_bps: 7.5\n  slippage_bps: 2.5": kind.candidates,
        },
    )
    text = paths.params.read_text(encoding="utf-8")
    paths.params.write_text(re.sub(r"bars:\n(?:  .*\n)+", f"bars: {kind.bars}\n", text), encoding="utf-8")
    for folder in ("received", "recorded"):
        (root / "data" / folder).mkdir(parents=True)
    kind.make(root / "data" / "raw")
    shutil.copytree(repository() / "notebooks", root / "notebooks")
    return paths
