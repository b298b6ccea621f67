"""Outcomes: open candidates are left out, and a learner sees a row from `known_at` on, no earlier."""

from __future__ import annotations

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from edgebook.outcomes.outcomes import known_outcomes, observed_outcomes, signal_id, signal_ids

AT = pd.Timestamp("2019-01-07", tz="UTC")


def candidates():
    rows = [
        ("BTC/USD", "1h", "2019-01-06 20:00", False, "2019-01-07 00:00", "take_profit"),
        ("BTC/USD", "1h", "2019-01-06 20:00", True, "2019-01-07 00:01", "stop_loss"),
        ("BTC/USD", "1h", "2019-01-06 21:00", False, None, "open"),
        ("ETH/USD", "4h", "2019-01-01 00:00", True, "2019-01-02 00:00", "time_exit"),
    ]
    frame = pd.DataFrame(rows, columns=["pair", "timeframe", "date", "is_short", "close_date", "exit_reason"])
    for name in ("date", "close_date"):
        frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601").dt.as_unit("ms")
    return frame


def test_open_candidates_have_no_outcome():
    outcomes = known_outcomes(candidates())
    assert outcomes["exit_reason"].tolist() == ["take_profit", "stop_loss", "time_exit"]
    assert outcomes.index.tolist() == [0, 1, 2]


def test_a_simulated_outcome_is_known_when_its_exit_bar_closes():
    outcomes = known_outcomes(candidates())
    assert outcomes["known_at"].tolist() == outcomes["close_date"].tolist()
    assert outcomes["source"].tolist() == ["simulated"] * 3
    assert outcomes[["known_at", "source"]].dtypes.astype(str).tolist() == ["datetime64[ms, UTC]", "str"]


def test_an_outcome_is_seen_from_the_moment_it_is_known():
    seen = observed_outcomes(known_outcomes(candidates()), at=AT)
    assert seen["pair"].tolist() == ["ETH/USD", "BTC/USD"]  # in the order in which they became known
    assert seen["exit_reason"].tolist() == ["time_exit", "take_profit"]
    assert len(observed_outcomes(known_outcomes(candidates()), at=AT + pd.Timedelta("1min"))) == 3


def test_what_becomes_known_later_changes_nothing_seen_before():
    outcomes = known_outcomes(candidates())
    late = outcomes["known_at"] > AT
    changed = outcomes.assign(exit_reason=outcomes["exit_reason"].mask(late, "take_profit"))
    assert_frame_equal(observed_outcomes(outcomes, at=AT), observed_outcomes(changed, at=AT))


def test_an_outcome_reported_late_is_seen_late_however_early_it_closed():
    outcomes = known_outcomes(candidates())
    reported = outcomes.assign(known_at=outcomes["known_at"] + pd.Timedelta("10D"))
    assert observed_outcomes(reported, at=AT).empty


def test_inputs_are_not_changed():
    frame = candidates()
    before = frame.copy(deep=True)
    observed_outcomes(known_outcomes(frame), at=AT)
    signal_ids(frame)
    assert_frame_equal(frame, before)


def test_one_candidate_has_one_name():
    frame = candidates()
    names = signal_ids(frame)
    assert names.iloc[0] == "BTC-USD_1h_20190106T2000_long"
    assert names.is_unique
    assert names.tolist() == [
        signal_id(pair=row.pair, timeframe=row.timeframe, date=row.date, is_short=row.is_short)
        for row in frame.itertuples()
    ]


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_have_few_names(rows):
    names = signal_ids(candidates()[2:][:rows])
    assert (len(names), str(names.dtype), names.name) == (rows, "str", "signal_id")
    assert names.index.tolist() == [2][:rows]
