"""The tuning report: the study in force, handed on unchanged, and words that follow from its numbers."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgebook.figures import figures_tuning
from edgebook.loop.history import attachments_of
from edgebook.paths import Paths
from edgebook.policy.market import load_market
from edgebook.reports import tuning_readings, tuning_tables
from edgebook.seals.week import Week, open_week
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain
from edgebook.tuning import tuning_run
from edgebook.tuning.tuning_study import STUDY_FILE, TRIALS_FILE, Study

SAMPLE = Paths.at("data/sample")
PICTURES = (
    figures_tuning.history_picture,
    figures_tuning.importance_picture,
    figures_tuning.slices_picture,
    figures_tuning.sharpe_picture,
    figures_tuning.overfitting_picture,
    figures_tuning.grid_picture,
    figures_tuning.heads_picture,
    figures_tuning.holdout_picture,
)
TABLES = (
    tuning_tables.space_table,
    tuning_tables.kinds_table,
    tuning_tables.scores_table,
    tuning_tables.deflated_table,
    tuning_tables.ledger_table,
    tuning_tables.superior_table,
    tuning_tables.grid_table,
    tuning_tables.heads_table,
    tuning_tables.proposals_table,
)
READINGS = (
    tuning_readings.method,
    tuning_readings.history_reading,
    tuning_readings.importance_reading,
    tuning_readings.holdout_reading,
    tuning_readings.deflated_reading,
    tuning_readings.overfitting_reading,
    tuning_readings.superior_reading,
    tuning_readings.grid_reading,
    tuning_readings.heads_reading,
    tuning_readings.conclusion,
)


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    params = load_params(SAMPLE.params)
    return {"run": plain(params.run), "tuning": plain(params.tuning), "sizing": plain(params.sizing)}


@pytest.fixture(scope="module")
def week(settings: dict[str, Any]) -> Week:
    return open_week(settings["run"], root="data/sample")


@pytest.fixture(scope="module")
def files(week: Week, settings: dict[str, Any]) -> dict[str, str]:
    return tuning_run.study_files(week, tuning=settings["tuning"], sizing=settings["sizing"])


@pytest.fixture(scope="module")
def study(settings: dict[str, Any]) -> Study:
    """The study of three weeks before, run here."""
    run = settings["run"] | {"as_of": "2018-05-14", "previous": "2018-05-07"}
    tuning = settings["tuning"] | {"grid": True}
    due = open_week(run, root="data/sample")
    return Study.from_files(tuning_run.study_files(due, tuning=tuning, sizing=settings["sizing"]))


def changed(study: Study, **paths: Any) -> Study:
    """The study with some numbers changed; ``holdout__difference__low`` is a path of keys."""
    head = copy.deepcopy(study.head)
    for path, value in paths.items():
        *places, last = path.split("__")
        row = head
        for place in places:
            row = row[place]
        row[last] = value
    return replace(study, head=head)


def test_between_studies_the_last_one_is_carried_letter_by_letter(week: Week, files: dict[str, str]) -> None:
    assert set(files) == {STUDY_FILE, TRIALS_FILE}
    sealed = week.paths.seal(history=week.history, as_of=week.run.previous)
    assert all((sealed / name).read_text(encoding="utf-8") == text for name, text in files.items())


def test_the_notebook_and_the_fold_over_the_weeks_run_the_same_study() -> None:
    """The fold holds bars of later weeks, too."""
    given = load_params(SAMPLE.params)
    params = replace(given, tuning=replace(given.tuning, sobol=4, trials=1))
    run = {"history": "main", "as_of": "2018-05-14", "previous": "2018-05-07", "genesis": params.run.genesis}
    due = open_week(run, root="data/sample")
    shown = tuning_run.study_files(due, tuning=plain(params.tuning), sizing=plain(params.sizing))
    assert Study.from_files(shown).as_of == due.as_of
    folded = attachments_of(params, due, market=load_market(SAMPLE), previous=due.previous_seal)
    assert {name: folded[name] for name in shown} == shown


def test_handing_on_writes_only_when_asked_and_clears_what_is_old(
    tmp_path: Path, week: Week, files: dict[str, str]
) -> None:
    here = replace(week, paths=Paths(tmp_path))
    tuning_run.hand_on(files, week=here, write=False)
    assert list(tmp_path.iterdir()) == []
    tuning_run.hand_on(files, week=here, write=True)
    assert (tmp_path / "data/study/study.json").read_text(encoding="utf-8") == files[STUDY_FILE]
    tuning_run.hand_on({}, week=here, write=True)
    assert list((tmp_path / "data/study").iterdir()) == []


def test_before_the_first_study_every_part_says_that_there_is_none(week: Week, settings: dict[str, Any]) -> None:
    assert tuning_run.read_study({}) is None
    assert all("none" in repr(show(None)) for show in TABLES)
    assert all(picture(None).svg for picture in PICTURES)
    assert all(tuning_readings.NOTHING in repr(read(None)) for read in READINGS)
    assert "is due on" in repr(tuning_readings.window(None, week=week, tuning=settings["tuning"]))


def test_every_part_shows_the_study(week: Week, settings: dict[str, Any], study: Study) -> None:
    words = repr(tuning_readings.window(study, week=week, tuning=settings["tuning"]))
    assert "3 weeks ago: nothing was re-run" in words and "due on 2018-06-25" in words
    assert all(f"n = {len(study.searched)}" in repr(p(study)) for p in (PICTURES[0], PICTURES[2], PICTURES[3]))
    assert f"of {len(study.searched)} trials" in repr(tuning_tables.ledger_table(study))
    assert all(repr(part(study)) for part in (*TABLES, *READINGS))


def test_the_conclusion_follows_the_verdict(study: Study) -> None:
    proposed = changed(study, verdict="proposed", holdout__difference__low=-0.5, holdout__difference__high=0.5)
    assert "is not shown by the holdout" in repr(tuning_readings.conclusion(proposed))
    shown = changed(proposed, holdout__difference__low=0.1)
    assert "also shows on the holdout" in repr(tuning_readings.conclusion(shown))
    forbidden = changed(proposed, verdict="holdout speaks against it")
    assert "proposes nothing" in repr(tuning_readings.conclusion(forbidden))
    default = changed(proposed, verdict="default is best")
    assert "proposes nothing" in repr(tuning_readings.conclusion(default))


def test_the_holdout_is_read_by_its_interval(study: Study) -> None:
    ends = {"worse": (-2.0, -1.0), "undecided": (-1.0, 1.0), "better": (1.0, 2.0)}
    for word, (low, high) in ends.items():
        read = changed(study, best__number=7, holdout__difference__low=low, holdout__difference__high=high)
        text = repr(tuning_readings.holdout_reading(read))
        assert word in text and not any(other in text for other in ends if other != word)


def test_deflation_says_on_which_side_of_luck_the_best_is(study: Study) -> None:
    lucky = changed(study, deflated__sharpe=0.1, deflated__benchmark=0.2, deflated__probability=0.2)
    assert "below the 0.200" in repr(tuning_readings.deflated_reading(lucky))
    good = changed(study, deflated__sharpe=0.3, deflated__benchmark=0.2, deflated__probability=0.97)
    text = repr(tuning_readings.deflated_reading(good))
    assert "above the 0.200" in text and ", enough by" in text


def test_superior_ability_is_said_of_all_trials_and_of_those_fixed_in_advance(study: Study) -> None:
    shown = changed(study, superior__all__consistent=0.01, superior__sobol__consistent=0.3)
    text = repr(tuning_readings.superior_reading(shown))
    assert "better than the default is shown (p = 0.010" in text and "is not shown (p = 0.300" in text
    assert "< 0.001" in repr(tuning_tables.superior_table(changed(study, superior__all__lower=0.0)))
    nothing = changed(study, superior__all__consistent=None)
    assert "nothing to test" in repr(tuning_readings.superior_reading(nothing))


def test_overfitting_is_read_beside_a_coin_flip(study: Study) -> None:
    low = changed(study, overfitting__probability=0.2, overfitting__median_logit=1.0)
    assert "less often than worthless" in repr(tuning_readings.overfitting_reading(low))
    high = changed(study, overfitting__probability=0.6, overfitting__median_logit=-0.2)
    assert "no less often than worthless" in repr(tuning_readings.overfitting_reading(high))


def test_the_grid_is_read_by_the_interval_on_the_holdout(study: Study) -> None:
    ends = {"worse than": (-2.0, -1.0), "not told apart": (-1.0, 1.0), "better than": (1.0, 2.0)}
    for words, (low, high) in ends.items():
        read = changed(study, grid__holdout_difference__low=low, grid__holdout_difference__high=high)
        assert words in repr(tuning_readings.grid_reading(read))
    assert f"On the same budget of {len(study.grid)} trials" in repr(tuning_readings.grid_reading(study))
    assert len(study.grid) == len(study.searched) - 1 == 24
    assert "With 24 trials against the grid's 20" in repr(tuning_readings.grid_reading(changed(study, budget__grid=20)))
    assert "No grid" in repr(tuning_readings.grid_reading(changed(study, grid=None)))


def test_a_head_is_proposed_in_words_only_when_its_interval_is_clear(study: Study) -> None:
    row = {"head": "B", "level": 300.0, "own": 100.0, "improvement": 2e-3, "low": 5e-4, "high": 3e-3, "t": 4.1}
    other = row | {"head": "C", "low": -1e-3, "t": 1.0}
    found = {"rows": [row, other], "weeks": 24, "critical": 3.2, "chosen": row}
    text = repr(tuning_readings.heads_reading(changed(study, heads=found)))
    assert "1 of 2 alternatives is better" in text and "HEAD_B at shrinkage 300 instead of 100: +2.00" in text
    nothing = found | {"rows": [other], "chosen": None}
    assert "None of 1 alternatives" in repr(tuning_readings.heads_reading(changed(study, heads=nothing)))


def test_proposals_are_listed_with_what_they_change(study: Study) -> None:
    own = study.head["recipe"]
    queue = [
        {"origin": "selection", "title": "selected", "settings": own | {"features": "selected"}},
        {"origin": "head B", "title": "head B: shrinkage 300", "settings": own | {"head_shrinkage": {"B": 300.0}}},
    ]
    listed = changed(study, proposals=queue, verdict="default is best")
    text = repr(tuning_tables.proposals_table(listed))
    assert "selected" in text and "B 300" in text
    assert "2 other proposals wait: selection (selected), head B" in repr(tuning_readings.conclusion(listed))
    alone = changed(study, proposals=[], verdict="default is best")
    assert "Nothing else is proposed" in repr(tuning_readings.conclusion(alone))


def test_settings_stand_out_only_above_their_null(study: Study) -> None:
    rows = [{"setting": "shrinkage", "levels": 5, "share": 0.3, "null": 0.2, "p_value": 0.01}]
    rows += [{"setting": "train_weeks", "levels": 3, "share": 0.1, "null": 0.2, "p_value": 0.5}]
    assert "`shrinkage` (30 %)" in repr(tuning_readings.importance_reading(changed(study, importance=rows)))
    assert "No setting stands out (0 of 1)" in repr(
        tuning_readings.importance_reading(changed(study, importance=rows[1:]))
    )
