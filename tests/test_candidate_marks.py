"""Candidates marked to market: values worked out by hand, and the sum of the days is the outcome."""

from types import SimpleNamespace

import numpy as np

from edgebook.candidate_marks import marked_r
from edgebook.market import NEVER

DAY = 86_400_000
CLOSES = np.array([100.0, 102.0, 97.0, 97.0])


def market():
    return SimpleNamespace(pairs=("A/USD",), pair=np.zeros(4, np.int8), marks={"A/USD": (np.arange(4) * DAY, CLOSES)})


def outcomes(*, known_at, r_multiple):
    """One candidate a side on bar 0, entered at 100 during the first day, stops five below and above."""
    column = np.full((4, 2), np.nan)
    opened, stops, r = column.copy(), column.copy(), column.copy()
    opened[0], stops[0], r[0] = 100.0, [95.0, 105.0], r_multiple
    known, entry = np.full((4, 2), NEVER), np.full((4, 2), NEVER)
    known[0], entry[0] = known_at, 1
    return SimpleNamespace(open_rate=opened, stop_loss_abs=stops, known_at=known, open_ms=entry, r_multiple=r)


def marks(plan, *, cost=0.001):
    row, side = np.zeros(2, np.int64), np.array([0, 1])
    return marked_r(market(), plan, row=row, side=side, moments=np.arange(4) * DAY, cost=cost)


def test_an_open_candidate_is_worth_its_move_less_the_cost_of_entry():
    value = marks(outcomes(known_at=[NEVER, NEVER], r_multiple=[np.nan, np.nan]))
    assert value[0].tolist() == [0.0, 0.38, -0.62, -0.62]  # (+2 % - 0.1 %) / 5 %, (-3 % - 0.1 %) / 5 %
    assert value[1].tolist() == [0.0, -0.42, 0.58, 0.58]


def test_from_its_close_on_it_is_worth_its_outcome():
    value = marks(outcomes(known_at=[2 * DAY, NEVER], r_multiple=[-1.04, np.nan]))
    assert value[0].tolist() == [0.0, 0.38, -1.04, -1.04]


def test_the_days_of_a_candidate_sum_to_its_outcome():
    value = marks(outcomes(known_at=[3 * DAY, DAY], r_multiple=[1.5, -1.02]))
    assert np.diff(value, axis=1).sum(axis=1).round(6).tolist() == [1.5, -1.02]


def test_a_later_close_changes_no_earlier_mark():
    early = marks(outcomes(known_at=[NEVER, NEVER], r_multiple=[np.nan, np.nan]))
    late = marks(outcomes(known_at=[3 * DAY, 3 * DAY], r_multiple=[2.0, 2.0]))
    assert (early[:, :3] == late[:, :3]).all()
