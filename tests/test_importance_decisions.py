"""Decisions on clusters over time: what was in, what was out, since when, and that one seal tells all of it."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from edgebook.importance.contributions import OVERALL
from edgebook.importance.importance_decisions import dated_decisions, kept_by_run, runs_frame, timeline_frame
from edgebook.importance.importance_weights import with_weights
from edgebook.indicators import CATALOGUE
from edgebook.regimes.regimes import REGIMES
from edgebook.reports import figures_importance, importance_readings, importance_tables

HEADS = {"a1": "A", "a2": "A", "b1": "B", "b2": "B", "b3": "B", "c1": "C"}


def run(at: str, clusters: dict[tuple[str, ...], str], *, kept: set[str]) -> dict[str, Any]:
    """A run: its clusters by members with their evidence, and the indicators that it keeps."""
    numbers = {"r_per_unit": 0.1, "r_low": 0.0, "r_high": 0.2, "z": 2.0, "p": 0.05, "q": 0.1, "tree_p": 1.0}
    entries = [
        {"name": members[0], "members": list(members), "evidence": evidence, **numbers}
        for members, evidence in clusters.items()
    ]
    names = [name for members in clusters for name in members]
    return {"at": at, "kept": [n for n in names if n in kept], "clusters": entries, "false_discovery_rate": 0.1}


def four_runs() -> dict[str, Any]:
    """Four quarters, the last one with the decisions of all."""
    every = set(HEADS)
    runs = [
        run("2018-04-02", {("a1", "a2"): "line", ("b1", "b2", "b3"): "none", ("c1",): "none"}, kept={"a1", "a2", "c1"}),
        # Now b3 stands alone; its twins come back on evidence, a2 leaves its twin and goes.
        run("2018-07-02", {("a1", "c1"): "line", ("a2",): "none", ("b1", "b2"): "both", ("b3",): "none"},
            kept={"a1", "c1", "b1", "b2"}),
        run("2018-10-01", {("a1", "a2"): "none", ("b1", "b2", "b3"): "none", ("c1",): "none"}, kept=every),
        run("2018-12-31", {("a1", "a2", "c1"): "none", ("b1", "b2"): "forest", ("b3",): "none"},
            kept={"c1", "b1", "b2"}),
    ]  # fmt: skip
    decisions: list[dict[str, Any]] = []
    for one in runs:
        decisions = dated_decisions(one, earlier=decisions, heads=HEADS)
    return runs[-1] | {"decisions": decisions}


def test_each_run_says_what_was_kept_dropped_and_brought_back_since_when_and_why() -> None:
    said = [(r["at"], r["cluster"], r["decision"], r["since"], r["why"]) for r in four_runs()["decisions"]]
    assert said == [
        ("2018-04-02", "a1", "kept", "2018-04-02", "line"),
        ("2018-04-02", "b1", "dropped", "2018-04-02", "no evidence"),
        ("2018-04-02", "c1", "kept", "2018-04-02", "best of head C"),
        ("2018-07-02", "a1", "kept", "2018-04-02", "line"),
        ("2018-07-02", "a2", "dropped", "2018-07-02", "no evidence"),
        ("2018-07-02", "b1", "brought back", "2018-07-02", "both"),
        ("2018-07-02", "b3", "still out", "2018-04-02", "no evidence"),
        # Nothing survives: all are in. a1 and a2 were half in before, which counts as in.
        ("2018-10-01", "a1", "kept", "2018-04-02", "nothing survives"),
        ("2018-10-01", "b1", "kept", "2018-07-02", "nothing survives"),
        ("2018-10-01", "c1", "kept", "2018-04-02", "nothing survives"),
        # One of three stays, so that its head is not empty: the cluster is out.
        ("2018-12-31", "a1", "dropped", "2018-12-31", "best of head C"),
        ("2018-12-31", "b1", "kept", "2018-07-02", "forest"),
        ("2018-12-31", "b3", "dropped", "2018-12-31", "no evidence"),
    ]


def test_one_seal_tells_the_whole_history() -> None:
    found = json.loads(json.dumps(four_runs(), allow_nan=False))
    assert kept_by_run(found["decisions"])["2018-07-02"] == {"a1", "c1", "b1", "b2"}
    last = [row for row in found["decisions"] if row["at"] == "2018-12-31"]
    assert (last[0]["kept"], last[0]["out"]) == (["c1"], ["a1", "a2"])
    assert {"z", "p", "q", "r_per_unit", "r_low", "r_high", "forest_p"} <= last[0].keys()
    counts = runs_frame(found).set_index("at")
    assert counts.loc["2018-07-02"].to_dict() == {
        "clusters": 4, "on_evidence": 2, "kept": 1, "dropped": 1, "brought_back": 1, "still_out": 1, "indicators": 4,
    }  # fmt: skip
    assert counts["indicators"].tolist() == [3, 4, 6, 3]


def test_earlier_decisions_are_carried_as_they_were() -> None:
    found = four_runs()
    again = dated_decisions(run("2019-04-01", {tuple(HEADS): "line"}, kept=set(HEADS)), earlier=found["decisions"],
                            heads=HEADS)  # fmt: skip
    assert again[:-1] == found["decisions"]
    assert (again[-1]["decision"], again[-1]["since"]) == ("kept", "2018-04-02")  # half of them have always been in


def test_the_clusters_of_today_are_followed_back() -> None:
    states = timeline_frame(four_runs())
    assert states.columns.tolist() == ["2018-04-02", "2018-07-02", "2018-10-01", "2018-12-31"]
    assert states.loc["b1"].tolist() == ["out", "evidence", "kept", "evidence"]
    assert states.loc["b3"].tolist() == ["out", "out", "kept", "out"]
    assert states.loc["a1"].tolist() == ["evidence", "evidence", "kept", "out"]
    assert states.index[0] == "b1"  # what is in stands first


def test_the_timeline_is_shown_and_said() -> None:
    found = four_runs()
    picture = figures_importance.decisions_picture(found)
    assert "The 3 clusters of 2018-12-31 (6 indicators) followed back over 4 runs" in repr(picture)
    changes = repr(importance_tables.changes_table(found, top=3))
    assert "Dropped and brought back: the latest 3 of 5 changes" in changes
    assert changes.index("2018-12-31") < changes.index("2018-07-02")
    words = repr(importance_readings.decisions_reading(found))
    assert words.startswith("2018-12-31: kept 1 (`b1`); dropped 2 (`a1`, `b3`); brought back 0; still out 0.")
    assert "Over 4 runs since 2018-04-02 1 indicators were kept every time, 0 never" in words
    assert "brought back" in repr(importance_tables.runs_table(found)).lower()
    first = found | {"decisions": found["decisions"][:3], "at": "2018-04-02", "clusters": found["clusters"]}
    assert "It is the first run" in repr(importance_readings.decisions_reading(first))


# Weights.


def test_the_suggested_weight_is_relative_within_the_head_and_stands_beside_the_one_in_force() -> None:
    names = [indicator.name for indicator in CATALOGUE]
    rows = [(name, scope) for scope in (OVERALL, *REGIMES) for name in names]
    frame = pd.DataFrame(rows, columns=["indicator", "regime"]).assign(optimal_weight=0.0)
    mine = next(indicator for indicator in CATALOGUE if indicator.head == "F")
    size = sum(indicator.head == "F" for indicator in CATALOGUE)
    frame.loc[(frame["indicator"] == mine.name) & (frame["regime"] == "volatile"), "optimal_weight"] = 0.1
    current = frame[["indicator", "regime"]].assign(current_weight=1.0)
    found = with_weights(frame, current.iloc[len(names) :]).set_index(["indicator", "regime"])
    # 0.15 against a mean of (0.15 + 0.05 (size - 1)) / size.
    assert found.loc[(mine.name, "volatile"), "suggested_weight"] == pytest.approx(
        0.15 * size / (0.15 + 0.05 * (size - 1)), abs=1e-4
    )
    assert found.loc[(mine.name, "ranging"), "suggested_weight"] == 1.0
    assert found["current_weight"].isna().sum() == len(names)  # overall was not given
    assert found["suggested_weight"].between(0.0, 3.0).all()
