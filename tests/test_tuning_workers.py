"""A study is the same whoever computes it: one process or two, in one go or killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgebook.errors import DataError
from edgebook.policy.market import Market
from edgebook.tuning import tuning_search
from edgebook.tuning.tuning import tune
from edgebook.tuning.tuning_book import Outcome
from edgebook.tuning.tuning_journal import Journal, study_digest
from edgebook.tuning.tuning_search import search
from edgebook.tuning.tuning_space import search_space
from edgebook.tuning.tuning_study import Study
from edgebook.tuning.tuning_workers import crew
from test_tuning import AS_OF, FAMILIES, PLANS, RECIPE, SETTINGS, SIZING, bench_of, make_market

QUICK = replace(SETTINGS, sobol=6, trials=5, batch=2, grid=True)


class Killed(Exception):
    """Stands in for a signal."""


@pytest.fixture(scope="module")
def market() -> Market:
    return make_market(1, edge=0.05)


def run(market: Market, **changes: Any) -> Study:
    given: dict[str, Any] = {
        "recipe": RECIPE, "families": FAMILIES, "grid_plans": PLANS, "sizing": SIZING, "settings": QUICK,
        "as_of": AS_OF,
    }  # fmt: skip
    return tune(market, **given | changes)


@pytest.fixture(scope="module")
def undisturbed(market: Market) -> dict[str, str]:
    return run(market).to_files()


def test_two_workers_write_the_bytes_of_one(market: Market, undisturbed: dict[str, str]) -> None:
    assert run(market, settings=replace(QUICK, workers=2)).to_files() == undisturbed


def test_the_batch_is_a_setting_of_the_search_and_not_the_number_of_workers(
    market: Market, undisturbed: dict[str, str]
) -> None:
    """Batches of another size may go another way; what was fixed in advance stays as it was."""
    other = run(market, settings=replace(QUICK, batch=5))
    same = Study.from_files(undisturbed).trials
    assert other.head["budget"]["batch"] == 5
    for kind in ("default", "sobol", "grid"):
        assert other.trials[other.trials["kind"] == kind].equals(same[same["kind"] == kind])


def test_the_grid_has_the_budget_of_the_search_and_is_never_the_best(undisturbed: dict[str, str]) -> None:
    study = Study.from_files(undisturbed)
    assert study.trials["kind"].tolist() == ["default"] + ["sobol"] * 6 + ["tpe"] * 5 + ["grid"] * 11
    assert study.head["budget"]["trials"] == study.head["deflated"]["trials"] == len(study.searched) == 12
    assert study.head["best"]["number"] == int(study.searched["value"].to_numpy().argmax())
    assert study.head["grid"]["best"]["number"] == 12 + int(study.grid["value"].to_numpy().argmax())


def test_without_a_grid_the_search_goes_the_same_way(market: Market, undisturbed: dict[str, str]) -> None:
    alone = run(market, settings=replace(QUICK, grid=False))
    assert alone.head["grid"] is None
    assert alone.trials.equals(Study.from_files(undisturbed).searched)


@pytest.mark.parametrize("after", [1, 9, 22])
def test_a_study_that_was_killed_goes_on_and_ends_the_same(
    market: Market, undisturbed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    place = tmp_path / "journals" / "main-2019-11-04.jsonl"
    done = tuning_search._in_folds
    calls = []

    def dying(*given: Any) -> Outcome:
        if len(calls) == after:
            raise Killed
        calls.append(given)
        return done(*given)

    monkeypatch.setattr(tuning_search, "_in_folds", dying)
    with pytest.raises(Killed):
        run(market, journal=place)
    assert len(place.read_text().splitlines()) == 1 + after
    with place.open("a") as file:
        file.write('{"number": 7, "poi')  # cut off by the kill
    calls.clear()
    monkeypatch.setattr(tuning_search, "_in_folds", lambda *given: calls.append(given) or done(*given))
    assert run(market, journal=place).to_files() == undisturbed
    assert len(calls) == 23 - after
    assert not place.exists() and not place.parent.exists()


def test_a_journal_of_another_study_is_not_used(market: Market, tmp_path: Path) -> None:
    bench, digest = bench_of(market), study_digest(bench_of(market), settings=SETTINGS, as_of=AS_OF)
    others = [
        study_digest(bench, settings=replace(SETTINGS, seed=6), as_of=AS_OF),
        study_digest(bench, settings=SETTINGS, as_of="2019-11-11"),
        study_digest(replace(bench, recipe=replace(RECIPE, half_life_weeks=1.0)), settings=SETTINGS, as_of=AS_OF),
        study_digest(bench_of(make_market(2)), settings=SETTINGS, as_of=AS_OF),
    ]
    assert len({digest, *others}) == 5
    assert study_digest(bench, settings=replace(SETTINGS, workers=7), as_of=AS_OF) == digest

    place, point = tmp_path / "a.jsonl", {"shrinkage": 10.0}
    Journal.opened(place, digest=digest).add(3, Outcome(np.array([0.5, -1.02]), 4), point=point)
    again = Journal.opened(place, digest=digest)
    kept = again.outcome(3, point=point)
    assert kept is not None and kept.daily_r.tolist() == [0.5, -1.02] and kept.trades == 4
    assert again.outcome(3, point={"shrinkage": 30.0}) is None and again.outcome(4, point=point) is None
    assert Journal.opened(place, digest=others[0]).outcome(3, point=point) is None
    assert json.loads(place.read_text()) == {"study": others[0]}  # begun anew


def test_a_journal_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"journal.jsonl: could not be written"):
        Journal.opened(tmp_path / "file" / "journal.jsonl", digest="x")


def _dies(_bench: Any, argument: int) -> int:
    if argument == 2:
        os._exit(1)
    return argument


def _fails(_bench: Any, argument: int) -> int:
    raise DataError(f"no {argument}")


def test_workers_answer_for_their_mistakes(market: Market) -> None:
    with crew(bench_of(market), workers=2) as those:
        with pytest.raises(DataError, match="no 1"):
            list(those.run(_fails, [1], keys=[1]))
        with pytest.raises(DataError, match=r"a worker process died.*tuning.workers: 1"):
            list(those.run(_dies, [1, 2, 3], keys=[1, 2, 3]))


WAITING = """
import sys, time
from test_tuning_workers import bench_of, crew, make_market
if __name__ == "__main__":
    with crew(bench_of(make_market(1)), workers=2):
        import multiprocessing
        print(*(p.pid for p in multiprocessing.active_children()), flush=True)
        time.sleep(60)
"""


def test_no_worker_outlives_a_study_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "waiting.py"
    script.write_text(WAITING)
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": path}
    )
    assert parent.stdout is not None
    workers = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(workers) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    for _ in range(600):
        if not any(_alive(pid) for pid in workers):
            break
        time.sleep(0.05)
    assert [pid for pid in workers if _alive(pid)] == []


def _alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has collected yet has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_search_asks_no_point_twice(market: Market) -> None:
    space = search_space(RECIPE, grid_plans=PLANS)
    with crew(bench_of(market), workers=1) as those:
        trials = search(
            those, space=space, settings=replace(QUICK, trials=20, batch=7, grid=False), journal=Journal(None, "")
        )
    chosen = [tuple(trial.point.settings.items()) for trial in trials if trial.point.kind == "tpe"]
    assert len(set(chosen)) == len(chosen) == 20
    assert not set(chosen) & {tuple(trial.point.settings.items()) for trial in trials if trial.point.kind != "tpe"}
