"""The look-ahead audit finds nothing in the honest pipeline, and every planted leak by its name."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from edgebook.audit import audit
from edgebook.audit_compare import compare_documents, compare_files, compare_rows
from edgebook.audit_found import LAYERS, Audit, Layer
from edgebook.audit_pipeline import HONEST, bars_until, made_of_finer
from edgebook.cli import main
from edgebook.errors import SealError, SettingsError, WeekError
from edgebook.heads import fit_heads
from edgebook.market import WEEK_MS
from edgebook.params import load_params
from edgebook.planted_leaks import LEAKS, stamped_at_open
from small_market import copy_history, seal_bytes, small_bars

KEY = ["pair", "timeframe", "date"]
BY_NAME = {leak.name: leak for leak in LEAKS}


def run(paths, **given):
    return audit(load_params(paths.params), paths, **{"times": 2, "seed": 3} | given)


@pytest.fixture(scope="module")
def honest(small):
    return run(small, times=3)


def test_the_honest_pipeline_looks_at_nothing_later(honest):
    assert [str(leak) for leak in honest.leaks] == []
    assert honest.unreproduced == ()
    assert honest.line.startswith("Found no look-ahead: ")


def test_every_layer_is_compared_at_every_time(honest):
    assert [layer.name for layer in honest.layers] == list(LAYERS)
    assert {layer.name: layer.times for layer in honest.layers} == dict.fromkeys(LAYERS, 3)
    assert min(layer.values for layer in honest.layers) > 0
    assert len(set(honest.times)) == 3


@pytest.mark.parametrize("name", BY_NAME)
def test_a_planted_leak_is_found_where_it_is(small, name):
    leak = BY_NAME[name]
    found = run(small, weeks=0, pipeline=leak.pipeline)
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


def test_the_bar_of_a_same_day_join_is_the_one_that_was_still_open(small):
    found = run(small, weeks=0, pipeline=BY_NAME["same-day join"].pipeline).leaks[0]
    cut_at = pd.Timestamp(found.at)
    bar = pd.Timestamp(" ".join(found.key.split()[-2:]))
    assert found.key.split()[1] == "4h"
    assert cut_at.normalize() < bar <= cut_at
    assert found.cut == "missing"


def test_a_leak_in_the_fits_reaches_the_seals(small):
    found = run(small, times=1, pipeline=BY_NAME["scaler fitted on all data"].pipeline)
    assert {"fitted heads", "thresholds", "seals"} <= {leak.name for leak in found.leaks}
    assert found.leaks[-1].name == "seals"
    assert found.leaks[-1].key.endswith("policies/r1.json")
    assert found.leaks[-1].column.startswith("line ")


def test_a_learner_that_sees_outcomes_of_next_week_is_found_in_fits_and_seals(small):
    def early(market, outcomes, *, at, **settings):
        """Heads that know a week too much; the market hides what the loop was not to see, in the cut alone."""
        return fit_heads(market, outcomes, at=at + WEEK_MS, **settings)

    found = run(small, times=1, pipeline=replace(HONEST, fit=early))
    assert found.leaks[0].name == "fitted heads"
    assert "seals" in {leak.name for leak in found.leaks}


def test_what_the_loop_shows_a_fit_ends_where_the_bars_do(small):
    """The same fit is honest where it is told the truth about the time: the leak above is not the audit's doing."""

    def patient(market, outcomes, *, at, **settings):
        return fit_heads(market, outcomes, at=at - WEEK_MS, **settings)

    assert run(small, times=1, pipeline=replace(HONEST, fit=patient)).leaks == ()


def test_an_outcome_that_is_known_too_early_is_found(small):
    def hasty(candidates):
        known = HONEST.known_outcomes(candidates)
        return known.assign(known_at=known["date"])

    assert run(small, times=1, weeks=0, pipeline=replace(HONEST, known_outcomes=hasty)).leaks[0].name == "outcomes"


def test_a_week_that_other_settings_sealed_is_no_leak(small, tmp_path):
    paths = copy_history(small, tmp_path / "other")
    text = paths.params.read_text(encoding="utf-8")
    assert "rollback_weeks: 26" in text
    paths.params.write_text(text.replace("rollback_weeks: 26", "rollback_weeks: 20"), encoding="utf-8")
    found = run(paths, times=1)
    assert found.leaks == ()
    assert len(found.unreproduced) == 1


def test_the_repository_is_not_touched(small):
    before = seal_bytes(small)
    tables = {p: p.stat().st_mtime_ns for p in (small.root / "data").rglob("*.parquet")}
    run(small, times=1)
    assert seal_bytes(small) == before
    assert {p: p.stat().st_mtime_ns for p in (small.root / "data").rglob("*.parquet")} == tables


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
    status, text = call("--json")
    assert (status, json.loads(text)["ok"]) == (0, True)
    leaking = Audit(("2018-04-07 08:00",), (Layer("votes", 1, 9, 2, "2018-04-07 08:00", "A 1h", "rsi_14", "1", "0"),))
    monkeypatch.setattr("edgebook.audit.audit", lambda *_, **__: leaking)
    status, text = call()
    assert status == 1
    assert "votes: 2 of 9 values differ; first, with the bars cut at 2018-04-07 08:00: A 1h, rsi_14: 1 with" in text


def test_coarse_bars_are_made_of_the_cut_ones():
    bars = small_bars()
    made = made_of_finer(bars)
    assert made == {("S01/USD", "1d"): "4h", ("S02/USD", "1d"): "4h"}
    at = pd.Timestamp("2018-04-10 12:00", tz="UTC")
    until = bars_until(bars, at, made=made, pipeline=HONEST)
    pd.testing.assert_frame_equal(until, bars[bars["date"] <= at].reset_index(drop=True))
    wrong = bars_until(bars, at, made=made, pipeline=replace(HONEST, resample=stamped_at_open))
    daily = wrong[(wrong["pair"] == "S01/USD") & (wrong["timeframe"] == "1d")]
    assert daily["date"].max() == pd.Timestamp("2018-04-09", tz="UTC")


def test_bars_of_their_own_are_not_made_again():
    bars = small_bars()
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
