"""The drift watch: its arithmetic by hand, its alarms and their budget, and how it travels in the seal."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edgebook.arms.cusum import Day, Scale, Walk, learn_scale, update
from edgebook.arms.drift import Alarm, Drift, observe, watched
from edgebook.arms.drift_limits import ALARMS_PER_YEAR, CHOSEN_LIMITS, LIMITS, WARMUP_WEEKS, limit
from edgebook.arms.drift_streams import Paid, week_values
from edgebook.arms.drift_words import alarm_events, alarm_lines, alarm_text
from edgebook.figures.figures_drift import drift_picture
from edgebook.loop.drift_week import SEALED_NAME, sealed_drift, trades_of, watch_week
from edgebook.policy.market import DAY_MS, WEEK_MS, milliseconds
from edgebook.reports.drift_report import alarms_table, drift_alarms, drift_levels, drift_reading, nearest_table
from edgebook.seals.seals import read_seal
from edgebook.settings.params import Drift as Settings
from small_market import GENESIS, LAST

START = milliseconds("2018-04-02")
TAGS = ("none", "double_top", "engulfing")
NO_TRADES = pd.DataFrame(columns=["close_date", "confidence", "r_multiple"])
EVERY = Settings(false_alarms_per_year=1.0, smallest_fall=0.1, smallest_count_per_week=5.0)


def policy_with(base: float = 0.5, slope: float = 1.0) -> Any:
    """What the watch reads of a policy."""
    return SimpleNamespace(base=np.full((4, 2), base), slopes=np.full((9, 2), slope))


def market_with(tags: tuple[str, ...] = TAGS) -> Any:
    return SimpleNamespace(tag_names=tags)


def seen_of(won: np.ndarray, *, day: np.ndarray, confidence: float = 0.5, **changed: Any) -> Any:
    """What the watch reads of candidates: by default they count whole, in the top fifth, no pattern, heads asleep."""
    n = len(won)
    zero = np.zeros(n, np.int64)
    fields: dict[str, Any] = {
        "day": day, "regime": zero, "side": zero, "raw": np.full((n, 9), np.nan), "consensus": np.ones(n),
        "confidence": np.full(n, confidence), "base": np.full(n, 0.5), "rank": np.ones(n), "tag": zero,
        "won": won.astype(bool), "r_multiple": np.where(won, 1.0, -1.0), "weight": np.ones(n),
    }  # fmt: skip
    return SimpleNamespace(**(fields | changed))


def coins(rng: np.random.Generator, rate: float, *, a_day: int = 6) -> Any:
    """A week of candidates that win with a rate; half is promised."""
    day = np.repeat(np.arange(7), a_day)
    return seen_of(rng.random(len(day)) < rate, day=day)


def fold(rates: list[float], *, seed: int = 1, settings: Settings = EVERY) -> tuple[Drift, list[tuple[int, Alarm]]]:
    """Watch weeks of coins; alarms with the number of their week."""
    rng = np.random.default_rng(seed)
    state, found = Drift("r1"), []
    for number, rate in enumerate(rates):
        state, alarms = observe(
            state, coins(rng, rate), market=market_with(), policy=policy_with(), trades=NO_TRADES,
            settings=settings, until=START + (number + 1) * WEEK_MS,
        )  # fmt: skip
        found += [(number, alarm) for alarm in alarms]
    return state, found


# --- the CUSUM


def test_a_day_adds_its_evidence_and_the_level_never_falls_below_zero():
    short = update(Walk(), Day("2018-04-02", -3.0, 10.0, 5.0), fall=0.1, variance=0.25)
    assert short == Walk(level=1.0, since="2018-04-02", count=10.0, promised=5.0, shortfall=3.0)
    more = update(short, Day("2018-04-03", -1.0, 10.0, 6.0), fall=0.1, variance=0.25)
    assert more == Walk(level=1.2, since="2018-04-02", count=20.0, promised=11.0, shortfall=4.0)
    assert update(more, Day("2018-04-04", 4.0, 10.0, 5.0), fall=0.1, variance=0.25) == Walk()


def test_the_level_is_the_rise_over_the_lowest_point_so_far():
    rng = np.random.default_rng(3)
    values, counts = rng.normal(-0.3, 3.0, 400), rng.integers(1, 20, 400).astype(float)
    walk, levels = Walk(), []
    for value, count in zip(values, counts, strict=True):
        walk = update(walk, Day("d", value, count, count / 2), fall=0.08, variance=0.3)
        levels.append(walk.level)
    path = np.r_[0.0, np.cumsum(0.08 / 0.3 * (-values - 0.04 * counts))]
    assert levels == pytest.approx((path - np.minimum.accumulate(path))[1:], abs=1e-3)


def test_outcomes_that_come_together_count_as_one_through_the_scale():
    """Ten copies of a coin a day move ten times as far: the variance of one is ten times a coin's."""
    rng = np.random.default_rng(5)
    single, copied = Scale(), Scale()
    for _ in range(60):
        value = rng.choice([-0.5, 0.5], 7)
        single = learn_scale(single, np.column_stack([value, np.ones(7), np.full(7, 0.5)]))
        copied = learn_scale(copied, np.column_stack([10 * value, np.full(7, 10.0), np.full(7, 5.0)]))
    assert copied.variance == pytest.approx(10 * single.variance)
    assert single.variance == pytest.approx(0.25, rel=0.35)
    assert (single.count_per_week, copied.count_per_week) == (pytest.approx(7, rel=1e-6), pytest.approx(70, rel=1e-6))


def test_a_scale_sees_that_outcomes_overlap_from_week_to_week():
    apart, together = Scale(), Scale()
    for week in range(40):
        sign = np.full(7, 1.0 if week % 4 < 2 else -1.0)
        together = learn_scale(together, np.column_stack([sign, np.ones(7), np.ones(7)]))
        apart = learn_scale(apart, np.column_stack([sign * [1, -1, 1, -1, 1, -1, 1], np.ones(7), np.ones(7)]))
    assert together.variance > 5 * apart.variance


# --- limits


def test_limits_rise_with_information_and_with_rarity():
    for table in (np.array(LIMITS), np.array(CHOSEN_LIMITS)):
        assert (np.diff(table[:-1], axis=0) > 0).all()
        assert (np.diff(table, axis=1) > 0).all()
    assert (np.array(CHOSEN_LIMITS)[:-1] > np.array(LIMITS)[:-1]).all()
    assert limit(1.0, alarms_per_year=ALARMS_PER_YEAR[2]) == LIMITS[4][2]
    assert limit(1e-9, alarms_per_year=0.1) == limit(0.01, alarms_per_year=0.1)
    assert limit(0.3, alarms_per_year=1e-4) > limit(0.3, alarms_per_year=0.003) + 2


@pytest.mark.parametrize("information", [0.1, 0.5, 2.0])
def test_a_stream_without_drift_reaches_its_limit_no_more_often_than_allowed(information):
    """4,000 years of standardised days whose scale is known, at 0.3 alarms a year."""
    rng = np.random.default_rng(11)
    runs, days = 2000, 730
    height = limit(information, alarms_per_year=0.3)
    fall, level, count = np.sqrt(information / 7), np.zeros(runs), 0
    for value in rng.standard_normal((days, runs)):
        level = np.maximum(0.0, level + fall * (-value - fall / 2))
        alarm = level >= height
        count += int(alarm.sum())
        level[alarm] = 0.0
    rate = count / (runs * days / 365.25)
    assert 0.1 < rate < 0.3


# --- what is watched


def test_streams_are_sums_by_hand():
    """Two days: a pattern that lost, the top fifth, a head that was right and one that was wrong."""
    raw = np.full((3, 9), np.nan)
    raw[:, 0] = [0.5, -0.5, 0.01]
    seen = seen_of(
        np.array([True, False, False]), day=np.array([0, 0, 1]), raw=raw, tag=np.array([0, 2, 2]),
        confidence=0.6, rank=np.array([0.9, 0.5, 0.95]), weight=np.array([1.0, 0.5, 0.25]),
    )  # fmt: skip
    found = week_values(seen, market=market_with(), policy=policy_with(), trades=NO_TRADES, paid=Paid(), since=START)
    assert set(found) == {"candidates", "head A", "pattern engulfing"}
    assert found["candidates"][:2] == pytest.approx(np.array([[0.4, 1.0, 0.6], [-0.15, 0.25, 0.15]]))
    assert found["pattern engulfing"][:2] == pytest.approx(np.array([[-0.3, 0.5, 0.3], [-0.15, 0.25, 0.15]]))
    right = 1 / (
        1 + np.exp(-0.5)
    )  # to 4 digits; a vote for a winner, half a vote against a loser; 0.01 is an abstention
    assert found["head A"][0] == pytest.approx([1.5 * (1 - right), 1.5, 1.5 * right], abs=2e-4)
    assert not found["head A"][1:].any()


def test_a_head_is_held_to_the_base_rate_of_the_decision():
    """What the market did meanwhile has moved today's base rate; the promise was made before."""
    raw = np.full((2, 9), np.nan)
    raw[:, 0] = 0.5
    seen = seen_of(np.array([True, False]), day=np.array([0, 0]), raw=raw, base=np.array([0.3, 0.6]))
    one, other = (
        week_values(seen, market=market_with(), policy=policy_with(base=b), trades=NO_TRADES, paid=Paid(), since=START)
        for b in (0.2, 0.8)
    )
    promised = sum(1 / (1 + np.exp(-(np.log(b / (1 - b)) + 0.5))) for b in (0.3, 0.6))
    assert one["head A"][0] == pytest.approx([1 - promised, 2.0, promised], abs=2e-4)
    assert np.array_equal(one["head A"], other["head A"])


def test_trades_are_held_to_the_r_that_their_confidence_promised():
    """Wins paid 2 R and losses cost 1: 50 % is worth +0.5 R, 40 % +0.2 R; a span of 3 R is 100 points."""
    paid = Paid(won=4.0, lost=10.0, gained=8.0, given=10.0)
    trades = pd.DataFrame(
        {"close_date": ["2018-04-02T12:00:00Z", "2018-04-09T00:00:00Z"], "confidence": [0.5, 0.4],
         "r_multiple": [-1.0, 2.0]}
    )  # fmt: skip
    nothing = seen_of(np.array([], bool), day=np.array([], np.int64))
    found = week_values(nothing, market=market_with(), policy=policy_with(), trades=trades, paid=paid, since=START)[
        "trades"
    ]
    assert found[0] == pytest.approx([-1.5 / 3, 1.0, 0.5 / 3], abs=1e-6)
    assert found[6] == pytest.approx([1.8 / 3, 1.0, 0.2 / 3], abs=1e-6)
    assert week_values(
        nothing, market=market_with(), policy=policy_with(), trades=trades, paid=Paid(), since=START
    ) == {}  # fmt: skip


def test_only_trades_on_the_champions_own_signals_count():
    rows = [
        {
            "model_version": f"{name}@2018-04-02",
            "close_date": "2018-04-03T00:00:00Z",
            "confidence": 0.5,
            "r_multiple": r,
        }
        for name, r in (("r1", 1.0), ("r10", 2.0), ("r3", 3.0))
    ]
    assert trades_of(rows, champion="r1")["r_multiple"].tolist() == [1.0]


def test_a_stream_is_watched_when_it_knows_its_scale_and_has_enough_outcomes():
    state, _ = fold([0.5] * (WARMUP_WEEKS - 1))
    assert watched(state, settings=EVERY) == {}
    state, _ = fold([0.5] * WARMUP_WEEKS)
    assert set(watched(state, settings=EVERY)) == {"candidates"}
    assert watched(state, settings=replace(EVERY, smallest_count_per_week=60.0)) == {}


def test_streams_share_the_false_alarms_evenly():
    state, _ = fold([0.5] * WARMUP_WEEKS)
    one = state.streams["candidates"]
    alone = watched(state, settings=EVERY)["candidates"]
    names = ("candidates", "head A", "head B", "pattern engulfing")
    four = watched(replace(state, streams={name: one for name in names}), settings=EVERY)
    assert four["candidates"] == watched(state, settings=replace(EVERY, false_alarms_per_year=0.25))["candidates"]
    assert four["candidates"] > alone
    assert len({four[name] for name in names[1:]}) == 1


# --- alarms


def test_a_fall_is_noticed_dated_and_the_watch_starts_again():
    rates = [0.5] * 30 + [0.2] * 12
    state, found = fold(rates)
    week, alarm = found[0]
    assert 30 <= week <= 35
    assert alarm.stream == "candidates"
    assert "2018-10-15" <= alarm.since <= "2018-11-12"
    assert alarm.since <= alarm.date
    assert alarm.promised == 0.5
    assert 0.1 < alarm.observed < 0.35
    assert len(found) >= 2
    assert state.streams["candidates"].walk.level < alarm.limit


def test_outcomes_that_come_as_promised_or_better_give_no_alarm():
    assert fold([0.5] * 60)[1] == []
    assert fold([0.5] * 20 + [0.7] * 40)[1] == []


def test_what_comes_later_changes_no_earlier_alarm():
    rates = [0.5] * 20 + [0.25] * 10
    short, early = fold(rates[:25])
    _, late = fold(rates)
    assert early == [one for one in late if one[0] < 25]
    assert fold(rates[:25])[0] == short


def test_only_the_stream_that_fell_gives_the_alarm():
    rng = np.random.default_rng(8)
    state, names = Drift("r1"), set()
    for number in range(40):
        day = np.repeat(np.arange(7), 12)
        tag = np.tile([1, 2], len(day) // 2)
        rate = np.where((tag == 1) & (number >= 25), 0.2, 0.5)
        seen = seen_of(rng.random(len(day)) < rate, day=day, tag=tag, rank=np.zeros(len(day)))
        state, alarms = observe(
            state, seen, market=market_with(), policy=policy_with(), trades=NO_TRADES, settings=EVERY,
            until=START + (number + 1) * WEEK_MS,
        )  # fmt: skip
        names |= {alarm.stream for alarm in alarms}
    assert names == {"pattern double_top"}


def test_an_alarm_says_which_stream_since_when_how_far_and_what_to_do():
    alarm = Alarm("head D", "2019-02-14", "2018-12-15", 1161.2, 0.577, 0.489, 6.1)
    text = alarm_text(alarm)
    assert text.startswith(
        "head D (volatility) has been right 9 points less often than promised since 2018-12-15 "
        "(58% promised, 49% came, n 1161 effective votes), noticed on 2019-02-14; "
    )
    assert "propose a recipe" in text
    earned = alarm_text(replace(alarm, stream="trades", promised=0.18, observed=-0.18))
    assert "have earned 0.36 R each less than promised" in earned
    assert "edgebook rollback" in earned
    (event,) = alarm_events([alarm], champion="r1")
    assert event["kind"] == "drift"
    assert event["recipe"] == "r1"
    assert json.loads(json.dumps(event))["since"] == "2018-12-15"


def test_many_alarms_take_three_lines_of_the_summary():
    alarms = [Alarm(f"head {letter}", "2019-02-14", "2018-12-15", 90.0, 0.6, 0.5, 6.0) for letter in "ABCDE"]
    other = {"kind": "admitted", "recipe": "r3", "text": "t"}
    head = {"events": [other, *alarm_events(alarms, champion="r1")]}
    lines = alarm_lines(head)
    assert len(lines) == 3
    assert lines[0].startswith("Alarm: head A (trend following) has been right")
    assert all(f"head {letter} (" in lines[2] for letter in "CDE")
    assert alarm_lines({"events": [other]}) == []


# --- in the seal


def test_the_state_comes_back_from_its_text():
    state, _ = fold([0.5] * 20 + [0.3] * 2)
    assert state.streams["candidates"].walk.level > 0
    assert Drift.from_json(json.loads(json.dumps(state.to_json()))) == state


def test_every_sealed_week_carries_the_watch_over_its_champion(small):
    first, last = (read_seal(small, history="main", as_of=week) for week in (GENESIS, LAST))
    assert SEALED_NAME not in first.attachments
    state = sealed_drift(last.attachments, champion="r1")
    assert state.streams["candidates"].scale.age_weeks == last.head["week"]
    assert state.streams["head A"].scale.count > 0
    assert any(name.startswith("pattern ") for name in state.streams)
    assert last.head["settings"]["drift"]["false_alarms_per_year"] == 1.0


def test_another_champion_is_watched_anew(small):
    last = read_seal(small, history="main", as_of=LAST)
    assert sealed_drift(last.attachments, champion="r3") == Drift("r3")
    given: dict[str, Any] = {
        "champion": "r1", "policy": policy_with(), "closed": [], "market": market_with(), "settings": EVERY,
        "until": milliseconds(LAST) + WEEK_MS,
    }  # fmt: skip
    seen = coins(np.random.default_rng(0), 0.5)
    kept, _ = watch_week(last.attachments, seen, successor="r1", **given)
    assert sealed_drift({SEALED_NAME: kept}, champion="r1").streams["candidates"].scale.age_weeks == 9
    anew, _ = watch_week(last.attachments, seen, successor="r3", **given)
    assert sealed_drift({SEALED_NAME: anew}, champion="r3") == Drift("r3")


# --- the report


def sealed(rates: list[float]) -> list[Any]:
    """Seals, as far as the report reads them."""
    rng = np.random.default_rng(1)
    files: dict[str, str] = {}
    seals = []
    for number, rate in enumerate(rates):
        until = START + (number + 1) * WEEK_MS
        text, events = watch_week(
            files, coins(rng, rate), champion="r1", successor="r1", policy=policy_with(), closed=[],
            market=market_with(), settings=EVERY, until=until,
        )  # fmt: skip
        files = {SEALED_NAME: text}
        as_of = str(np.datetime64(until // DAY_MS, "D"))
        head = {"as_of": as_of, "events": events, "settings": {"drift": vars(EVERY)}}
        seals.append(SimpleNamespace(as_of=as_of, champion="r1", attachments=files, head=head))
    return seals


def test_the_report_tells_levels_alarms_and_what_chance_would_give():
    seals = sealed([0.5] * 30 + [0.2] * 6)
    heads = [seal.head for seal in seals]
    levels, alarms = drift_levels(seals), drift_alarms(heads)
    assert levels["week"].nunique() == 36 - WARMUP_WEEKS + 1
    assert (levels["level"] < levels["limit"]).all()
    assert len(alarms) >= 1
    assert "the most confident fifth of candidates" in repr(alarms_table(alarms))
    assert "Nearest to an alarm now, 1 of 1 streams" in repr(nearest_table(levels))
    said = repr(drift_reading(levels, alarms, head=heads[-1]))
    assert f"{len(alarms)} alarm" in said
    assert "in 24 weeks of watch; without any drift up to 0.5 were to be expected" in said
    assert f"n = {len(alarms)}" in repr(drift_picture(levels, alarms))


def test_the_report_of_a_young_history_says_that_nothing_is_watched_yet(small):
    seals = [read_seal(small, history="main", as_of=week) for week in (GENESIS, LAST)]
    levels, alarms = drift_levels(seals), drift_alarms([seal.head for seal in seals])
    assert levels.empty
    assert alarms.empty
    assert "no stream is watched yet" in repr(drift_reading(levels, alarms, head=seals[-1].head))
    assert "n = 0 weeks" in repr(drift_picture(levels, alarms))
    assert "none" in repr(alarms_table(alarms))
    assert "0 of 0 streams" in repr(nearest_table(levels))
