"""The queue for the challenger's slot: by hand first, then a study's proposals in order, each of them once."""

from __future__ import annotations

import doctest
import json
from dataclasses import replace
from typing import Any

import pytest

from edgebook.loop.proposals import Proposal, refusal, waiting
from edgebook.settings.params import plain
from edgebook.settings.recipes import Recipe
from edgebook.tuning import tuning_proposals
from edgebook.tuning.tuning_proposals import proposals, searched

CHAMPION = Recipe(exit_plan="tp2.0_sl1.5_t24", role="champion", head_shrinkage={"C": 30.0})
TUNED = replace(CHAMPION, role="proposal", shrinkage=300.0, title="tuned 2018-07-02")
KEPT = ("rsi_14", "adx_14")


def queue(**changes: Any) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"tuned": TUNED, "kept": KEPT, "head": {"head": "B", "level": 300.0}}
    return proposals(CHAMPION, as_of="2018-07-02", **given | changes)


def study(**changes: Any) -> dict[str, str]:
    head = {"as_of": "2018-07-02", "recipe": plain(CHAMPION.settings()), "proposals": queue(**changes)}
    return {"study/study.json": json.dumps(head)}


def next_ones(
    *, used: str | None = None, written: dict[str, Recipe] | None = None, files: dict[str, str] | None = None,
    champion: Recipe = CHAMPION,
) -> list[Proposal]:  # fmt: skip
    known = {"r1": plain(champion.settings())}
    return waiting(written or {}, files or study(), known=known, champion="r1", used=used)


def test_the_example_holds() -> None:
    assert doctest.testmod(tuning_proposals).failed == 0


def test_each_proposal_differs_from_the_champion_in_one_thing() -> None:
    own = plain(CHAMPION.settings())
    changed = [{name for name in own if row["settings"][name] != own[name]} for row in queue()]
    assert changed == [{"shrinkage"}, {"features"}, {"head_shrinkage"}]
    assert [row["origin"] for row in queue()] == ["tuning", "selection", "head B"]
    assert queue()[2]["settings"]["head_shrinkage"] == {"B": 300.0, "C": 30.0}


def test_nothing_is_proposed_without_a_reason() -> None:
    assert queue(tuned=None, kept=None, head=None) == []
    following = replace(CHAMPION, features="selected")
    assert proposals(following, tuned=None, kept=KEPT, head=None, as_of="2018-07-02") == []


def test_what_never_refits_is_proposed_as_what_does() -> None:
    frozen = replace(CHAMPION, refit_weeks=0)
    [row] = proposals(frozen, tuned=None, kept=KEPT, head=None, as_of="2018-07-02")
    assert row["settings"]["refit_weeks"] == 1


def test_a_recipe_of_selected_features_is_searched_with_what_is_kept() -> None:
    following = replace(CHAMPION, features="selected")
    assert searched(following, kept=KEPT).indicators == KEPT
    assert searched(replace(following, indicators=("adx_14", "cci_20")), kept=KEPT).indicators == ("adx_14",)
    assert searched(following, kept=None) == following and searched(CHAMPION, kept=KEPT) == CHAMPION


def test_a_proposal_by_hand_goes_before_the_studys() -> None:
    by_hand = replace(TUNED, shrinkage=10.0)
    found = next_ones(written={"r1": CHAMPION, "wide": by_hand})
    assert [row.origin for row in found] == [
        "proposed by hand", "tuning of 2018-07-02", "selection of 2018-07-02", "head B of 2018-07-02",
    ]  # fmt: skip
    assert (found[0].name, found[0].used, found[0].recipe) == ("wide", None, by_hand)


@pytest.mark.parametrize(
    ("used", "left"),
    [
        (None, ["#1", "#2", "#3"]),
        ("2018-04-02#3", ["#1", "#2", "#3"]),  # of another study
        ("2018-07-02#1", ["#2", "#3"]),
        ("2018-07-02#3", []),
        ("2018-07-02", []),  # written before a study had a queue
    ],
)
def test_each_has_its_turn_once(used: str | None, left: list[str]) -> None:
    assert [row.used for row in next_ones(used=used)] == [f"2018-07-02{turn}" for turn in left]


def test_a_recipe_that_is_known_or_made_for_another_champion_is_refused() -> None:
    tuned, selection, head = next_ones()
    known = {"r1": plain(CHAMPION.settings()), "r5": plain(TUNED.settings())}
    assert refusal(tuned, known=known) == ("r5", "tuning of 2018-07-02: the proposal is r5 again")
    assert refusal(selection, known=known) is None and refusal(head, known=known) is None
    other = next_ones(champion=replace(CHAMPION, half_life_weeks=26.0))
    assert [row.stale for row in other] == [False, True, True]
    refused = refusal(other[1], known={})
    assert refused is not None and "no longer in force" in refused[1]
    assert refusal(other[0], known={}) is None
