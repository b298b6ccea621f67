"""What the text of the pull request says of a desk: the week counted by hand, and nothing without one."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from desk_history import at
from edgebook.files import tables
from edgebook.outcomes.recorded import append
from edgebook.outcomes.recorded_outcomes import recorded_facts, write_outcomes
from edgebook.paths import Paths
from edgebook.seals.week import Week
from edgebook.settings.desk_outcomes import Outcomes
from edgebook.settings.loading import section
from edgebook.settings.params import Run
from edgebook.summary.summary_desk import desk_lines, desk_week
from edgebook.summary.summary_text import gather_facts, summary_text
from small_desk import FEE, desk_trades
from small_market import LAST, PLAN, copy_history

BEFORE = "2018-05-21"
FILES = {"source": "files"}


@pytest.fixture(scope="module")
def mine(small, tmp_path_factory) -> Paths:
    """Twelve trades of the week before the last and eight of the last.

    A week ago the desk had the twelve but two that it had not booked yet; since, one was corrected and one struck.
    """
    paths = copy_history(small, tmp_path_factory.mktemp("desk") / "mine", links=False)
    labelled = tables.read(paths.candidates / f"{PLAN}.parquet")
    done = labelled[(labelled["exit_reason"] != "open") & (labelled["close_date"] < at(LAST))]
    weeks = [done[(done["open_date"] > begin) & (done["close_date"] < end)] for begin, end in
             ((at("2018-05-14"), at(BEFORE)), (at(BEFORE), at(LAST)))]  # fmt: skip
    old, new = weeks[0].iloc[::3].head(12), weeks[1].iloc[::3].head(8)
    assert (len(old), len(new)) == (12, 8)
    first = desk_trades(old, slippage=0.001, exit_plan=PLAN)
    append(first.iloc[:10], paths=paths, until=BEFORE, complete=True)
    second = desk_trades(pd.concat([old, new]), slippage=0.001, exit_plan=PLAN)
    second.loc[3, "profit_ratio"] -= 0.0001
    stranger = second.iloc[[0]].assign(signal_id="other", pair="ELSE/USD", **{
        name: second["close_date"].iloc[-1] - pd.Timedelta(hours=hours)
        for name, hours in (("open_date", 8), ("close_date", 2))
    })  # fmt: skip
    append(pd.concat([second.drop(index=5), stranger]), paths=paths, until=LAST, complete=True)
    settings = section(Outcomes, FILES, where="here")
    facts = recorded_facts(paths, recorded=paths.recorded, settings=settings, fee=FEE, as_of=LAST)
    write_outcomes(paths, facts=facts)
    return paths


def week_of(paths: Paths) -> Week:
    return Week(Run(history="main", as_of=LAST, previous=BEFORE, genesis="2018-04-02"), paths)


def test_a_week_of_a_desk_is_counted(mine):
    found = desk_week(week_of(mine), outcomes=FILES)
    assert found is not None
    assert (found.closed, found.late, found.corrected, found.gone, found.unlearned) == (9, 2, 1, 1, 1)
    assert len(found.recorded.pairs) == 19


def test_the_text_says_it_and_asks_for_the_table_to_be_mended(mine):
    week = week_of(mine)
    text = summary_text(week, gather_facts(week, outcomes=FILES))
    part = text.split("## The desk\n\n")[1].split("\n\n## ")[0]
    assert part.startswith(
        "Trades of the desk that closed this week: 9. Of earlier weeks: 2 came late, 1 changed, 1 gone from its table. "
        "Open: 0. Learned from so far: 19. Recorded less simulated: "
    )
    assert re.search(r"\n1 teach nothing, .* \d+ do not fit .*outcome_analysis.html#the-desk-s-own-fills", part)
    assert "- [ ] Outcomes of the desk that teach nothing" in text


def test_in_private_no_count_is_exact(mine):
    found = desk_week(week_of(mine), outcomes=FILES | {"private": True})
    assert found is not None
    text = "\n".join(desk_lines(found))
    assert text.startswith("Trades of the desk that closed this week: fewer than 10. Of earlier weeks: fewer than 10 ")
    assert "Learned from so far: 10 or more." in text


def test_without_a_desk_nothing_is_said(small):
    week = week_of(small)
    assert desk_week(week, outcomes={"source": "simulated"}) is None
    text = summary_text(week, gather_facts(week, outcomes={"source": "simulated"}))
    assert "desk" not in text
    assert text == summary_text(week, gather_facts(week))
