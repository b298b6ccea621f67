"""Candidates marked to market: values worked out by hand, and the sum of the days is the outcome."""

from types import SimpleNamespace

import numpy as np

from edgebook.policy.candidate_marks import marked_r
from edgebook.policy.market import NEVER

DAY = 86_400_000
CLOSES = np.array([100.0, 102.0, 97.0, 97.0])


def market():
    return SimpleNamespace(pairs=("A/USD",), pair=np.zeros(4, np.int8), marks={"A/USD": (np.arange(4) * DAY, CLOSES)})


def outcomes(*, known_at, fill):
    """One candidate a side on bar 0, entered at 100 during the first day, stops five below and above."""
    column = np.full((4, 2), np.nan)
    opened, stops, closed = column.copy(), column.copy(), column.copy()
    opened[0], stops[0], closed[0] = 100.0, [95.0, 105.0], fill
    known, entry = np.full((4, 2), NEVER), np.full((4, 2), NEVER)
    known[0], entry[0] = known_at, 1
    return SimpleNamespace(open_rate=opened, stop_loss_abs=stops, known_at=known, open_ms=entry, close_rate=closed)


def marks(plan):
    row, side = np.zeros(2, np.int64), np.array([0, 1])
    return marked_r(market(), plan, row=row, side=side, moments=np.arange(4) * DAY)


def test_an_open_candidate_is_worth_its_move():
    value = marks(outcomes(known_at=[NEVER, NEVER], fill=[np.nan, np.nan]))
    assert value[0].tolist() == [0.0, 0.4, -0.6, -0.6]  # +2 % and -3 %, over a risk of 5 %
    assert value[1].tolist() == [0.0, -0.4, 0.6, 0.6]


def test_from_its_close_on_it_is_worth_its_outcome():
    value = marks(outcomes(known_at=[2 * DAY, NEVER], fill=[94.0, np.nan]))  # opened below its stop
    assert value[0].tolist() == [0.0, 0.4, -1.2, -1.2]


def test_the_days_of_a_candidate_sum_to_its_outcome():
    value = marks(outcomes(known_at=[3 * DAY, DAY], fill=[107.5, 105.0]))
    assert np.diff(value, axis=1).sum(axis=1).round(6).tolist() == [1.5, -1.0]


def test_what_is_staked_against_a_candidate_is_not_paid_its_costs():
    """Long and short of one bar that are stopped and reach their target at the same prices cancel to the last digit."""
    value = marks(outcomes(known_at=[3 * DAY, 3 * DAY], fill=[95.0, 95.0]))
    assert (value.sum(axis=0) == 0).all()


def test_a_later_close_changes_no_earlier_mark():
    early = marks(outcomes(known_at=[NEVER, NEVER], fill=[np.nan, np.nan]))
    late = marks(outcomes(known_at=[3 * DAY, 3 * DAY], fill=[110.0, 90.0]))
    assert (early[:, :3] == late[:, :3]).all()
