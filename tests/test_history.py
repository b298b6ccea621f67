"""The past never changes: histories fold to the same bytes from less data, again, and further."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from edgebook.errors import SealError, SettingsError, WeekError
from edgebook.files import tables
from edgebook.importance.importance_run import read_importance
from edgebook.loop.history import backfill, mondays, policy_of, seal_week
from edgebook.loop.rederive import rederive
from edgebook.paths import Paths
from edgebook.policy.market import load_market
from edgebook.seals.seals import read_seal, sealed_weeks
from edgebook.settings.loading import load_params
from small_market import END, GENESIS, LAST, copy_history, seal_bytes, small_bars, write_settings, write_tables

MIDDLE = "2018-04-30"
OUTCOMES = "tp2.0_sl1.5_t12"


def cut(bars, until: str):
    return bars[bars["date"] <= until].reset_index(drop=True)


def fold_next(paths: Paths, *, as_of: str = "2018-06-04", previous: str = LAST) -> dict[str, bytes]:
    """Seal one more week and return its files."""
    before = set(seal_bytes(paths))
    params = load_params(paths.params)
    market = load_market(paths, as_of=as_of)
    last = read_seal(paths, history="main", as_of=previous)
    seal_week(params, paths, as_of=as_of, market=market, previous=last)
    return {name: text for name, text in seal_bytes(paths).items() if name not in before}


# --- the past never changes


@pytest.fixture(scope="module")
def folded_from_less(small, tmp_path_factory) -> Paths:
    """The same history, from tables made of bars that end at `MIDDLE`."""
    paths = Paths(tmp_path_factory.mktemp("less"))
    params = write_settings(paths)
    write_tables(cut(small_bars(), MIDDLE), params, paths=paths)
    backfill(params, paths, until=MIDDLE)
    return paths


def test_the_small_history_is_worth_testing(small):
    """Trades were made and closed, arms differ, and bars lie beyond the last week."""
    seals = [read_seal(small, history="main", as_of=week) for week in sealed_weeks(small, "main")]
    assert [s.as_of for s in seals] == mondays(GENESIS, LAST)
    assert sum((s.ledger["status"] == "closed").sum() for s in seals) > 20
    assert {"r1", "r2", "r3"} == set(seals[-1].arms)
    assert seals[-1].arms["r2"].policy.version == f"r2@{GENESIS}"
    assert seals[-1].arms["r1"].policy.version == f"r1@{LAST}"
    assert seals[-1].arms["r1"].policy.weights.any()
    assert small_bars()["date"].max() > pd.Timestamp("2018-06-17", tz="UTC")


def test_bars_that_end_at_a_week_give_the_same_seals_up_to_it(small, folded_from_less):
    whole = seal_bytes(small, until=MIDDLE)
    assert len(whole) > 50
    assert seal_bytes(folded_from_less) == whole


def test_three_weeks_later_every_earlier_seal_is_as_it_was_and_the_history_can_be_derived_again(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy")
    params, before = load_params(paths.params), seal_bytes(small)
    told = []
    assert backfill(params, paths, until=END, tell=lambda p: told.append((p.seal.as_of, p.number, p.total))) == mondays(
        "2018-06-04", END
    )
    assert told == [("2018-06-04", 10, 12), ("2018-06-11", 11, 12), ("2018-06-18", 12, 12)]
    assert seal_bytes(paths, until=LAST) == before
    assert backfill(params, paths, until=END) == []
    assert rederive(params, paths) == []


@pytest.fixture
def importance_carried(small, monkeypatch):
    """The importance run of the small history instead of another: it is not what the test is about."""
    found = read_importance(small.seal(history="main", as_of=GENESIS) / "keep.json")
    monkeypatch.setattr("edgebook.loop.history.importance_in_force", lambda *week, **settings: found)


@pytest.mark.usefixtures("importance_carried")
def test_rederive_names_what_differs(small, tmp_path):
    """A history that saw another outcome is not reproduced, from the week on in which it became known."""
    paths = copy_history(small, tmp_path / "copy", links=False)
    place = paths.outcomes / f"{OUTCOMES}.parquet"
    table = tables.read(place)
    late = table["known_at"] > pd.Timestamp("2018-05-22", tz="UTC")
    tables.write(table.assign(r_multiple=table["r_multiple"].where(~late, -table["r_multiple"])), place)
    wrong = rederive(load_params(paths.params), paths)
    assert wrong
    assert {line.split("/")[2] for line in wrong if line.startswith("models")} == {LAST}
    assert f"models/main/{LAST}/state/r1.json: differs" in wrong


def test_the_order_of_rows_in_memory_and_the_folder_do_not_matter(small, tmp_path):
    one, two = (copy_history(small, tmp_path / name) for name in ("a", "b/c"))
    assert fold_next(one) == fold_next(two)


# --- no look-ahead


def disturbed(small: Paths, root, *, column: str, known: str) -> Paths:
    """Outcomes of one plan turned around where they became known after a date."""
    paths = copy_history(small, root, links=False)
    place = paths.outcomes / f"{OUTCOMES}.parquet"
    table = tables.read(place)
    late = table["known_at"] > pd.Timestamp(known, tz="UTC")
    assert late.any()
    tables.write(table.assign(**{column: table[column].where(~late, -table[column])}), place)
    return paths


@pytest.mark.parametrize("column", ["profit_ratio", "r_multiple"])
def test_outcomes_of_later_weeks_do_not_enter_a_seal_and_those_of_the_week_do(small, tmp_path, column):
    plain = fold_next(copy_history(small, tmp_path / "plain"))
    assert fold_next(disturbed(small, tmp_path / "later", column=column, known="2018-06-04")) == plain
    assert fold_next(disturbed(small, tmp_path / "same", column=column, known="2018-06-03")) != plain


def test_bars_of_later_weeks_do_not_enter_a_seal_and_those_of_the_week_do(small, tmp_path):
    """All tables made again from bars whose prices double after a moment."""
    found = {}
    for name, since in (("plain", "2019-01-01"), ("later", "2018-06-04"), ("same", "2018-06-03")):
        paths = copy_history(small, tmp_path / name, links=False)
        bars = small_bars()
        late = bars["date"] > pd.Timestamp(since, tz="UTC")
        prices = {c: bars[c].where(~late, 2 * bars[c]) for c in ("open", "high", "low", "close")}
        write_tables(bars.assign(**prices), load_params(paths.params), paths=paths)
        found[name] = fold_next(paths)
    assert found["later"] == found["plain"]
    assert found["same"] != found["plain"]


def leaked(bars, small: Paths, root) -> Paths:
    """Tables of these bars in which every outcome claims to be known when its candidate is decided."""
    paths = copy_history(small, root, links=False)
    write_tables(bars, load_params(paths.params), paths=paths)
    for place in paths.outcomes.glob("*.parquet"):
        table = tables.read(place)
        tables.write(table.assign(known_at=table["date"]), place)
    return paths


def test_a_leak_is_noticed(small, tmp_path):
    """Show that the test of less data can fail: what claims to be known too early is there only with the bars."""
    less = leaked(cut(small_bars(), "2018-06-04"), small, tmp_path / "less")
    whole = leaked(small_bars(), small, tmp_path / "whole")
    assert fold_next(less) != fold_next(whole)


# --- errors


def test_a_week_that_the_tables_do_not_reach_is_refused(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy")
    with pytest.raises(WeekError, match=r"data/bars.parquet: ends at 2018-06-18 .* before 2018-07-02"):
        backfill(load_params(paths.params), paths, until="2018-07-02")
    assert seal_bytes(paths) == seal_bytes(small)


def test_a_seal_missing_in_the_middle_is_named(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy")
    gone = paths.seal(history="main", as_of=MIDDLE)
    gone.rename(gone.with_name(".away"))
    with pytest.raises(SealError, match=f"models/main/{MIDDLE}: missing between sealed weeks"):
        backfill(load_params(paths.params), paths, until=END)


def test_another_genesis_than_the_sealed_one_is_refused(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy")
    params = load_params(paths.params)
    for genesis in ("2018-04-09", "2018-03-26"):
        with pytest.raises(SettingsError, match=f"run.genesis: {genesis}, but the first seal of history main is"):
            backfill(replace(params, run=replace(params.run, genesis=genesis)), paths, until=LAST)


@pytest.mark.usefixtures("importance_carried")
def test_too_little_data_before_genesis_is_one_line(tmp_path):
    paths = Paths(tmp_path)
    params = write_settings(paths, changes={'genesis: "2018-04-02"': 'genesis: "2018-03-12"'})
    write_tables(cut(small_bars(), "2018-04-02"), params, paths=paths)
    with pytest.raises(SettingsError, match=r"run.genesis: 2018-03-12 lies 10 weeks after .* choose 2018-03-26 or"):
        backfill(params, paths, until="2018-03-12")
    assert sealed_weeks(paths, "main") == []


def test_nothing_to_derive_again_is_said(tmp_path):
    with pytest.raises(SealError, match="models/main: there is no history"):
        rederive(write_settings(Paths(tmp_path)), Paths(tmp_path))


def test_an_unknown_version_is_named(small):
    with pytest.raises(SealError, match="r1@2017-01-02: no such version in history main"):
        policy_of(small, "main", "r1@2017-01-02")


# --- pins, by hand, in a history


@pytest.mark.usefixtures("importance_carried")
def test_a_history_with_a_pin_to_a_version_can_be_derived_again(small, tmp_path):
    paths = copy_history(small, tmp_path / "copy")
    for week in sealed_weeks(paths, "main")[4:]:
        shutil.rmtree(paths.seal(history="main", as_of=week))
        paths.ledger(history="main", as_of=week).unlink()
    pin = '[{week: "2018-04-30", version: "r1@2018-04-16", reason: "since then it lost"}]'
    params = write_settings(paths, changes={"pins: []": f"pins: {pin}"})
    assert backfill(params, paths, until="2018-05-07") == ["2018-04-30", "2018-05-07"]
    seal = read_seal(paths, history="main", as_of="2018-05-07")
    assert seal.champion == "r1-20180416"
    assert seal.arms[seal.champion].policy.learned == "2018-04-16"
    assert rederive(params, paths) == []


@pytest.mark.slow
def test_other_processor_settings_and_hash_seeds_give_the_same_bytes(small, tmp_path):
    """A fold in a process of its own, with another hash seed and generic kernels."""
    paths = copy_history(small, tmp_path / "copy")
    program = (
        "import sys; from pathlib import Path; from edgebook.loop.history import backfill;"
        "from edgebook.paths import Paths;"
        "from edgebook.settings.loading import load_params; paths = Paths(Path(sys.argv[1]));"
        "backfill(load_params(paths.params), paths, until=sys.argv[2])"
    )
    for place in (paths.history("main"), paths.root / "data" / "ledger"):
        place.rename(place.with_name(f"{place.name}_old"))
    settings = {"PYTHONHASHSEED": "77", "OPENBLAS_CORETYPE": "Nehalem", "NUMBA_CPU_NAME": "generic"}
    subprocess.run([sys.executable, "-c", program, str(paths.root), LAST], check=True, env=os.environ | settings)
    assert seal_bytes(paths) == seal_bytes(small)
