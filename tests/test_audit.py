"""The look-ahead audit finds nothing in the honest pipeline, and every planted leak by its name."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import small_market
from edgebook.audit.audit import audit
from edgebook.audit.audit_compare import compare_documents, compare_files, compare_rows
from edgebook.audit.audit_cut import bars_until, made_of_finer
from edgebook.audit.audit_found import LAYERS, Audit, Layer
from edgebook.cli import main
from edgebook.errors import SealError, SettingsError, WeekError
from edgebook.evidence.audit_evidence import AUDITS, MARKETS, audit_section, small_bars, small_settings
from edgebook.evidence.planted_leaks import LEAKS, stamped_at_open
from edgebook.loop.pipeline import HONEST
from edgebook.paths import repository
from edgebook.policy.heads import fit_heads
from edgebook.policy.market import WEEK_MS
from edgebook.settings.loading import load_params
from small_market import copy_history, seal_bytes

KEY = ["pair", "timeframe", "date"]
BY_NAME = {leak.name: leak for leak in LEAKS}


def run(paths, **given):
    return audit(load_params(paths.params), paths, **{"times": 1, "seed": 3} | given)


def state_of(paths):
    """Bytes of all seals, and when each table was written."""
    return seal_bytes(paths), {p: p.stat().st_mtime_ns for p in (paths.root / "data").rglob("*.parquet")}


@pytest.fixture(scope="module")
def honest(small):
    before = state_of(small)
    found = run(small, times=2)
    assert state_of(small) == before, "an audit changes nothing"
    return found


def test_the_honest_pipeline_looks_at_nothing_later(honest):
    assert [str(leak) for leak in honest.leaks] == []
    assert honest.unreproduced == ()
    assert honest.line.startswith("Found no look-ahead: ")


def test_every_layer_is_compared_at_every_time(honest):
    assert [layer.name for layer in honest.layers] == list(LAYERS)
    assert {layer.name: layer.times for layer in honest.layers} == dict.fromkeys(LAYERS, 2)
    assert min(layer.values for layer in honest.layers) > 0
    assert len(set(honest.times)) == 2


@pytest.fixture(scope="module")
def with_leak(small):
    """The audit of a planted leak by its name, at eight in the morning: at midnight no day is open to join."""
    return cache(lambda name: run(small, seed=11, weeks=0, pipeline=BY_NAME[name].pipeline))


@pytest.mark.parametrize("name", BY_NAME)
def test_a_planted_leak_is_found_where_it_is(with_leak, name):
    leak, found = BY_NAME[name], with_leak(name)
    first = found.leaks[0]
    assert (first.name, first.column[: len(leak.column)]) == (leak.layer, leak.column)
    assert first.full != first.cut
    assert first.at in found.times
    assert found.line.startswith("Look-ahead: ")
    assert all(word in found.line for word in (leak.layer, first.key, first.column, first.at))


def test_seven_leaks_are_planted():
    assert list(BY_NAME) == [
        "centred window", "scores centred by their own week", "smoothed regime", "label in a feature",
        "scaler fitted on all data", "same-day join", "resample with the wrong edge",
    ]  # fmt: skip


def test_the_bar_of_a_same_day_join_is_the_one_that_was_still_open(with_leak):
    found = with_leak("same-day join").leaks[0]
    cut_at = pd.Timestamp(found.at)
    bar = pd.Timestamp(" ".join(found.key.split()[-2:]))
    assert found.key.split()[1] == "4h"
    assert cut_at.normalize() < bar <= cut_at
    assert found.cut == "missing"


def test_a_leak_in_the_fits_reaches_the_seals(small):
    found = run(small, pipeline=BY_NAME["scaler fitted on all data"].pipeline)
    assert {"fitted heads", "thresholds", "seals"} <= {leak.name for leak in found.leaks}
    assert found.leaks[-1].name == "seals"
    assert found.leaks[-1].key.endswith("policies/r1.json")
    assert found.leaks[-1].column.startswith("line ")


def test_a_learner_that_sees_outcomes_of_next_week_is_found_in_fits_and_seals(small):
    def early(market, outcomes, *, at, **settings):
        """Heads that know a week too much; the market hides what the loop was not to see, in the cut alone."""
        return fit_heads(market, outcomes, at=at + WEEK_MS, **settings)

    found = run(small, pipeline=replace(HONEST, fit=early))
    assert found.leaks[0].name == "fitted heads"
    assert "seals" in {leak.name for leak in found.leaks}


def test_an_outcome_that_is_known_too_early_is_found(small):
    def hasty(candidates):
        known = HONEST.known_outcomes(candidates)
        return known.assign(known_at=known["date"])

    assert run(small, weeks=0, pipeline=replace(HONEST, known_outcomes=hasty)).leaks[0].name == "outcomes"


def test_a_week_that_other_settings_sealed_is_no_leak(small, tmp_path):
    paths = copy_history(small, tmp_path / "other")
    text = paths.params.read_text(encoding="utf-8")
    assert "rollback_weeks: 26" in text
    paths.params.write_text(text.replace("rollback_weeks: 26", "rollback_weeks: 20"), encoding="utf-8")
    found = run(paths)
    assert found.leaks == ()
    assert len(found.unreproduced) == 1


def test_a_seed_draws_its_times(small):
    cheap = {"weeks": 0, "pipeline": BY_NAME["resample with the wrong edge"].pipeline}  # it stops at the bars
    first, again, other = (run(small, seed=seed, **cheap) for seed in (3, 3, 4))
    assert first == again
    assert first.times != other.times


def test_what_cannot_be_audited_is_said_in_one_line(small, tmp_path):
    with pytest.raises(SettingsError, match="at least 1 time"):
        run(small, times=0)
    with pytest.raises(WeekError, match="ask for fewer"):
        run(small, times=10_000)
    paths = copy_history(small, tmp_path / "empty")
    shutil.rmtree(paths.root / "models")
    with pytest.raises(SealError, match="edgebook backfill"):
        run(paths)


def test_the_command_says_it_and_exits_by_it(small, monkeypatch, capsys):
    monkeypatch.setenv("EDGEBOOK_ROOT", str(small.root))

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["edgebook", "audit", "--times", "1", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().out

    status, text = call()
    assert status == 0
    assert all(layer in text for layer in LAYERS)
    assert "Found no look-ahead" in text
    leaking = Audit(("2018-04-07 08:00",), (Layer("votes", 1, 9, 2, "2018-04-07 08:00", "A 1h", "rsi_14", "1", "0"),))
    monkeypatch.setattr("edgebook.audit.audit.audit", lambda *_, **__: leaking)
    status, text = call()
    assert status == 1
    assert "votes: 2 of 9 values differ; first, with the bars cut at 2018-04-07 08:00: A 1h, rsi_14: 1 with" in text
    status, text = call("--json")
    assert (status, json.loads(text)["ok"]) == (1, False)


def test_coarse_bars_are_made_of_the_cut_ones():
    bars = small_market.small_bars()
    made = made_of_finer(bars)
    assert made == {("S01/USD", "1d"): "4h", ("S02/USD", "1d"): "4h"}
    at = pd.Timestamp("2018-04-10 12:00", tz="UTC")
    until = bars_until(bars, at, made=made, pipeline=HONEST)
    pd.testing.assert_frame_equal(until, bars[bars["date"] <= at].reset_index(drop=True))
    wrong = bars_until(bars, at, made=made, pipeline=replace(HONEST, resample=stamped_at_open))
    daily = wrong[(wrong["pair"] == "S01/USD") & (wrong["timeframe"] == "1d")]
    assert daily["date"].max() == pd.Timestamp("2018-04-09", tz="UTC")


def test_bars_of_their_own_are_not_made_again():
    bars = small_market.small_bars()
    daily = bars["timeframe"] == "1d"
    own = bars.assign(volume=np.where(daily, bars["volume"] * 2, bars["volume"]))
    assert made_of_finer(own) == {}


def rows(**columns):
    date = pd.date_range("2019-01-07 01:00", periods=3, freq="h", tz="UTC").as_unit("ms")
    return pd.DataFrame({"pair": "A/USD", "timeframe": "1h", "date": date} | columns)


def test_the_first_difference_is_named_by_row_and_column():
    full = rows(a=[1.0, 2.0, 3.0], b=[np.nan, 5.0, 6.0])
    assert compare_rows(full, full.copy(), key=KEY).differing == 0
    found = compare_rows(full, full.assign(b=[np.nan, 5.5, 6.5]), key=KEY)
    assert (found.values, found.differing, found.key, found.column) == (6, 2, "A/USD 1h 2019-01-07 02:00", "b")
    assert (found.full, found.cut) == ("5", "5.5")


def test_the_last_bit_counts_and_a_missing_value_is_itself():
    full = rows(a=[0.1 + 0.2, 0.0, np.nan])
    found = compare_rows(full, full.assign(a=[0.3, -0.0, np.nan]), key=KEY)
    assert found.differing == 2
    assert compare_rows(full, full.assign(a=full["a"].astype("float32")), key=KEY).differing > 0


def test_a_missing_row_is_named():
    full = rows(a=[1, 2, 3])
    found = compare_rows(full, full.iloc[:2], key=KEY)
    assert (found.differing, found.key, found.column) == (1, "A/USD 1h 2019-01-07 03:00", "row")
    assert (found.full, found.cut) == ("there", "missing")
    assert compare_rows(full.iloc[:2], full, key=KEY).cut == "there"
    assert compare_rows(full, full.iloc[::-1], key=KEY).differing > 0
    assert compare_rows(full, full.rename(columns={"a": "c"}), key=KEY).column == "a"


def test_documents_and_files_are_compared_to_the_leaf_and_the_line():
    full = {"r1": {"weights": [0.5, 0.25], "week": None}}
    found = compare_documents(full, {"r1": {"weights": [0.5, 0.75], "week": None}})
    assert (found.values, found.differing, found.key, found.column) == (3, 1, "r1", "weights 1")
    assert compare_documents(full, {"r1": {"weights": [0.5, 0.25]}}).cut == "missing"
    files = {"a.csv": b"x\n1\n", "b.csv": b"y\n"}
    found = compare_files(files, files | {"a.csv": b"x\n2\n"})
    assert (found.values, found.differing, found.key, found.column, found.cut) == (2, 1, "a.csv", "line 2", "2")
    assert compare_files(files, {"a.csv": b"x\n1\n"}).cut == "missing"


def test_what_is_found_can_be_written_down(honest):
    told = json.loads(json.dumps(honest.to_json()))
    assert told["ok"] is True
    assert told["line"] == honest.line
    assert [layer["name"] for layer in told["layers"]] == list(LAYERS)


def test_markets_of_the_evidence_reach_from_their_start_to_a_week_after_the_last_seal():
    params = load_params(repository() / "params.yaml")
    for market in (MARKETS[0], MARKETS[-1]):
        bars, given = small_bars(market), small_settings(params, market)
        last = pd.Timestamp(given.run.as_of, tz="UTC")
        assert bars["pair"].nunique() == 2
        assert last < bars["date"].max() <= last + pd.Timedelta(weeks=1)
        assert bars["date"].min() < market.genesis - given.learning.warmup_weeks * pd.Timedelta(weeks=1)
        assert {recipe.exit_plan for recipe in given.recipes.values()} == {"tp2.0_sl1.5_t12"}
    assert len(MARKETS) * AUDITS == 100


def test_the_evidence_says_what_was_missed_as_plainly_as_what_was_caught():
    place = {"at": "2018-04-07 08:00", "key": "A 1h", "column": "rsi_14", "full": "1", "cut": "0"}
    leak = {"name": "same-day join", "what": "too early", "layer": "indicators", "caught": True, "first": place}
    honest = {
        "audits": 100, "alarms": 0, "upper_95": 0.029513, "values": 12345,
        "markets": [{"market": "no edge", "seed": 1, "timeframes": ["4h"], "audits": 100, "values": 12, "alarms": 0}],
        "layers": [{"layer": "bars", "audits": 100, "values": 12345, "differing": 0}],
    }  # fmt: skip
    text = audit_section({"honest": honest, "leaks": [leak, leak | {"caught": False, "first": None}]})
    assert "**1 of 2**" in text
    assert "**0 of 100** (one-sided 95 % upper limit of the chance of one: 3.0%)" in text
    assert "| indicators | A 1h, rsi_14: 1 with all bars, 0 with those up to 2018-04-07 08:00 |" in text
    assert "| **missed** | none |" in text
