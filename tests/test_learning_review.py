"""The learning review: curves worked by hand, skill on all candidates, words that follow the numbers."""

import functools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebook.analyses import (
    candidate_scores,
    goal_values,
    head_record,
    learner_record,
    learning_curve,
    policy_history,
    random_policies,
    strategies,
    tracks,
)
from edgebook.analyses.goals import scoreboard
from edgebook.analyses.learning_curve import Paired, paired, weeks_needed
from edgebook.analyses.tracks import Track
from edgebook.figures import figures_learning
from edgebook.reports import learner_readings, learner_tables, learning_review, learning_tables, learning_verdict
from edgebook.seals.week import open_week
from edgebook.settings.recipes import HEAD_LETTERS

MONDAYS = [f"{day:%Y-%m-%d}" for day in pd.date_range("2018-04-02", periods=31, freq="7D")]
GENESIS = pd.Timestamp(MONDAYS[0], tz="UTC")
GOALS = {
    "win_rate_gain": 0.05, "false_signal_cut": 0.2, "win_rate": 0.7, "profit_factor": 2.0, "sharpe_ratio": 2.0,
    "max_drawdown": 0.15, "random_percentile": 95.0, "random_policies": 60, "seed": 17,
}  # fmt: skip
SIZING = {
    "start_capital": 100000.0, "risk_per_trade": 0.005, "max_positions": 10, "max_positions_per_pair": 2,
    "max_total_risk": 0.03, "max_leverage": 3.0,
}  # fmt: skip
NO_EVENT = learning_curve.history_events([])


def made_up_track(results, *, name="account", weeks=None):
    """A strategy that enters its signals of a week on Tuesday; `results` holds the R of each week's signals."""
    rows = [
        {"open_date": GENESIS + pd.Timedelta(days=7 * week + 1, hours=hour), "r_multiple": r}
        for week, made in enumerate(results)
        for hour, r in enumerate(made)
    ]
    trades = pd.DataFrame(rows, columns=["open_date", "r_multiple"])
    opened = pd.to_datetime(trades["open_date"], utc=True).astype("datetime64[ms, UTC]")
    r = trades["r_multiple"].astype(float)
    same = {
        "pair": "BTC/USD", "timeframe": "1h", "is_short": False, "regime": "ranging", "exit_plan": "p",
        "certified": False, "open_rate": 100.0, "take_profit_abs": 102.0, "stop_loss_abs": 98.5,
        "fee_open": 0.001, "fee_close": 0.001, "status": "closed",
    }  # fmt: skip
    trades = trades.assign(open_date=opened, date=opened, close_date=opened + pd.Timedelta(hours=5), **same)
    trades = trades.assign(r_multiple=r, profit_ratio=r * 0.01, signal_id=[f"s{i:04d}" for i in range(len(trades))])
    days = pd.date_range(GENESIS, periods=7 * (weeks or len(results)), freq="D", unit="ms")
    made = np.zeros(len(days))
    np.add.at(made, ((opened - GENESIS) // pd.Timedelta("1D")).to_numpy(dtype=int), trades["r_multiple"] * 0.005)
    equity = 100_000 * np.cumprod(1 + made)
    return Track(name, name, trades, pd.DataFrame({"date": days, "equity": equity, "return_ratio": made}))


@functools.cache
def sample(as_of="2018-06-04"):
    previous = f"{pd.Timestamp(as_of) - pd.Timedelta('7D'):%Y-%m-%d}"
    run = {"history": "main", "as_of": as_of, "previous": previous, "genesis": "2018-04-02"}
    return open_week(run, root="data/sample")


@functools.cache
def textbook(as_of="2018-06-04"):
    return tracks.textbook_policies(sample(as_of))


def whole_review(week, policies):
    """Everything that the notebook shows, as text."""
    shown = tracks.strategy_tracks(week, policies, sizing=SIZING)
    events = learning_curve.history_events(week.heads)
    differences = learning_curve.against_others(shown, weeks=week.weeks)
    windows = learning_curve.week_table(shown, weeks=week.weeks)
    rolling = learning_curve.rolling_win_rates(shown, weeks=week.weeks)
    everyone = strategies.all_tracks(shown, strategies.recipe_tracks(week))
    compared = strategies.compare_strategies(everyone, weeks=week.weeks, periods_per_year=365)
    ablated = candidate_scores.ablated_policies(week, policies)
    scored = candidate_scores.score_all(week, ablated)
    skills = candidate_scores.skill_of(scored)
    gains = candidate_scores.ablation(skills)
    calibrated = candidate_scores.calibrations(scored)
    weights = policy_history.weights_over_time(week.seals)
    rates = head_record.head_hit_rates(week, ablated["account"])
    thresholds = policy_history.threshold_evidence(week.seals)
    best = policy_history.best_of_regimes(rates, policy_history.indicator_evidence(week), thresholds)
    chance = random_policies.chance_of(week, goals=GOALS)
    board = scoreboard(
        shown, chance, known=best, thresholds=thresholds, heads=week.heads, goals=GOALS, weeks=week.weeks,
        periods_per_year=365,
    )  # fmt: skip
    parts = [
        learning_review.history_reading(week, shown, events=events),
        figures_learning.curve_picture(
            learning_curve.cumulative_r(shown, weeks=week.weeks), differences, events=events
        ),
        learning_review.curve_reading(differences),
        learning_tables.windows_table(windows), learning_tables.profits_table(windows),
        figures_learning.rolling_picture(rolling, events=events),
        learning_review.windows_reading(windows, rolling),
        learning_tables.strategies_table(compared),
        learning_tables.ablation_table(gains),
        figures_learning.skill_picture(skills, weeks=week.weeks, events=events),
        learning_review.ablation_reading(gains),
        figures_learning.calibration_picture(calibrated), learning_review.calibration_reading(calibrated),
        figures_learning.weights_picture(weights), learning_tables.heads_table(rates),
        learning_review.heads_reading(rates, weights, strategy="by_regime"),
        figures_learning.thresholds_picture(policy_history.thresholds_over_time(week.seals), events=events),
        learning_tables.thresholds_table(thresholds), learning_tables.best_table(best),
        learning_review.best_reading(best), learning_tables.regimes_table(goal_values.regime_profit(week.ledger)),
        figures_learning.chance_picture(chance), learning_verdict.chance_reading(chance),
        learning_tables.goals_table(board), learning_verdict.goals_reading(board),
        learning_verdict.conclusion(
            shown, differences, weeks=week.weeks, seal=week.seal, gate=week.gate, board=board
        ),
    ]  # fmt: skip
    return "\n".join(repr(part) for part in parts), board


# --- the curve ---


def test_a_signal_belongs_to_the_week_in_which_it_was_entered():
    dates = pd.Series(pd.to_datetime(["2018-04-02 00:00", "2018-04-08 23:00", "2018-04-09 00:00"], utc=True))
    assert learning_curve.week_number(dates, genesis=MONDAYS[0]).tolist() == [1, 1, 2]


def test_weekly_sums_by_hand():
    track = made_up_track([[1.0, -1.0, 0.5], [], [-1.0]])
    found = learning_curve.weekly(track, weeks=MONDAYS[:4])
    assert found["number"].tolist() == [1, 2, 3]
    assert found["n"].tolist() == [3, 0, 1]
    assert found["wins"].tolist() == [2, 0, 0]
    assert found["r"].tolist() == [0.5, 0.0, -1.0]
    assert found["profit"].round(2).tolist() == [250.0, 0.0, -501.25]
    assert found.index[0] == pd.Timestamp("2018-04-09", tz="UTC")


def test_an_open_signal_counts_as_a_signal_and_not_as_a_result():
    track = made_up_track([[1.0, 2.0]])
    trades = track.trades.copy()
    trades.loc[1, ["close_date", "r_multiple", "profit_ratio"]] = [pd.NaT, np.nan, np.nan]
    found = learning_curve.weekly(replace(track, trades=trades), weeks=MONDAYS[:2])
    assert (found["signals"].tolist(), found["n"].tolist(), found["r"].tolist()) == ([2], [1], [1.0])


def test_the_cumulative_curve_starts_at_zero_and_ends_at_the_sum():
    both = {"account": made_up_track([[1.0], [2.0]]), "frozen": made_up_track([[-1.0], [0.5]], name="frozen")}
    curves = learning_curve.cumulative_r(both, weeks=MONDAYS[:3])
    assert curves["account"].tolist() == [0.0, 1.0, 3.0]
    assert curves["frozen"].tolist() == [0.0, -1.0, -0.5]


def test_the_paired_difference_is_that_of_the_weeks_in_which_both_ran():
    account, other = made_up_track([[1.0], [2.0], [3.0]]), made_up_track([[0.5], [2.5]], name="r3")
    found = paired(account, other, weeks=MONDAYS[:4])
    assert found.weekly.tolist() == [0.5, -0.5]
    assert found.mean.value == 0.0
    assert found.mean.n == 2


def test_pairing_takes_the_markets_mood_out():
    rng = np.random.default_rng(1)
    mood = rng.normal(0, 5, 30)
    account = made_up_track([[m + 1 + e] for m, e in zip(mood, rng.normal(0, 1, 30), strict=True)])
    frozen = made_up_track([[m] for m in mood], name="frozen")
    found = paired(account, frozen, weeks=MONDAYS)
    alone = learning_curve.weekly(account, weeks=MONDAYS)["r"]
    assert found.mean.low > 0
    assert found.spread < 0.5 * alone.std()


def test_the_band_of_the_cumulated_difference_begins_late_and_ends_at_the_mean():
    found = paired(made_up_track([[1.0], [2.0], [0.0], [1.5], [1.0]]), made_up_track([[0.0]] * 5), weeks=MONDAYS[:6])
    curve = learning_curve.cumulative_difference(found)
    assert curve["value"].tolist() == [1.0, 3.0, 3.0, 4.5, 5.5]
    assert curve["low"].isna().tolist() == [True, True, True, False, False]
    assert curve["low"].iloc[-1] == pytest.approx(5 * found.mean.low, abs=1e-5)


def test_weeks_needed_give_the_power_they_promise():
    mean = 0.5
    found = Paired("account", "frozen", pd.Series([], dtype=float), learning_curve.Interval(mean, -1, 2, 20, 20), 2.0)
    needed = int(weeks_needed(found))
    rng = np.random.default_rng(2)
    means = rng.normal(mean, 2.0, (4000, needed)).mean(axis=1)
    assert np.mean(means - 1.96 * 2.0 / np.sqrt(needed) > 0) == pytest.approx(0.8, abs=0.03)


def test_no_number_of_weeks_shows_a_difference_that_points_the_wrong_way():
    behind = Paired("account", "frozen", pd.Series([], dtype=float), learning_curve.Interval(-0.1, -1, 1, 9, 9), 2.0)
    assert np.isnan(weeks_needed(behind))
    assert "no number of weeks" in learning_verdict._how_long(behind)


def test_windows_that_are_not_reached_read_na():
    shown = {"account": made_up_track([[1.0, -1.0]] * 5), "frozen": made_up_track([[1.0]] * 5, name="frozen")}
    found = learning_curve.week_table(shown, weeks=MONDAYS[:6])
    by_hand = found.set_index(["window", "strategy"])
    assert by_hand["n"]["to week 4"].tolist() == [8, 4]
    assert by_hand["win_rate"]["to week 4", "account"] == 0.5
    assert by_hand["signals_per_day"]["to week 4", "account"] == pytest.approx(8 / 28, abs=1e-6)
    assert by_hand["n"]["to week 12", "account"] == 0
    assert "n/a" in repr(learning_tables.windows_table(found)).split("to\u00a0week\u00a012")[1]


def test_the_rolling_rate_looks_back_over_its_window_only():
    track = made_up_track([[1.0]] * 6 + [[-1.0]] * 6)
    found = learning_curve.rolling_win_rate(track, weeks=MONDAYS[:13], window_weeks=4)
    assert found["value"].isna().tolist()[:4] == [True, True, True, False]
    assert found["value"].tolist()[3:] == [1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0, 0.0]


# --- events ---


def heads_with(*events):
    return [
        {"as_of": MONDAYS[week], "events": [{"kind": kind, "recipe": recipe, "text": ""}]}
        for week, kind, recipe in events
    ]


def test_promotions_and_rollbacks_are_changes_of_champion_and_admissions_are_not():
    found = learning_curve.history_events(
        heads_with((0, "genesis", "r1"), (2, "admitted", "r3"), (9, "promoted", "r3"), (15, "rolled back", "r1"))
    )
    assert found["kind"].tolist() == ["admitted", "promoted", "rolled back"]
    assert found["change"].tolist() == [False, True, True]


def test_events_are_drawn_on_the_curve():
    shown = {"account": made_up_track([[1.0]] * 20), "frozen": made_up_track([[0.5]] * 20, name="frozen")}
    curves = learning_curve.cumulative_r(shown, weeks=MONDAYS[:21])
    differences = learning_curve.against_others(shown, weeks=MONDAYS[:21])
    events = learning_curve.history_events(heads_with((9, "promoted", "r3"), (15, "rolled back", "r1")))
    plain = figures_learning.curve_picture(curves, differences, events=NO_EVENT)
    marked = figures_learning.curve_picture(curves, differences, events=events)
    assert plain.svg != marked.svg
    assert marked.svg == figures_learning.curve_picture(curves, differences, events=events).svg


# --- all candidates ---


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=30))
def test_auc_is_the_share_of_pairs_in_the_right_order(rows):
    confidence, won = np.array([r[0] for r in rows], dtype=float), np.array([r[1] for r in rows])
    pairs = [(a > b) + (a == b) / 2 for a in confidence[won] for b in confidence[~won]]
    found = candidate_scores.auc(confidence, won=won)
    assert np.isnan(found) if not pairs else found == pytest.approx(np.mean(pairs))


def test_scores_are_those_the_loop_gave():
    week = sample()
    scored = candidate_scores.scored_candidates(week, candidate_scores.ablated_policies(week, textbook())["account"])
    closed = week.ledger[week.ledger["status"] == "closed"]
    number = learning_curve.week_number(closed["date"], genesis=week.weeks[0])
    given_then = {n: set(part.round(4)) for n, part in scored.groupby("number")["confidence"]}
    assert all(round(c, 4) in given_then[n] for c, n in zip(closed["confidence"], number, strict=True))
    assert len(closed) > 50


def test_a_policy_is_not_better_than_itself():
    week = sample()
    scored = candidate_scores.scored_candidates(week, candidate_scores.ablated_policies(week, textbook())["account"])
    skill = candidate_scores.weekly_skill(scored)
    found = candidate_scores.ablation({"account": skill, "frozen": skill}).set_index("name")
    assert found["gain"]["frozen"] == 0
    assert np.isnan(found["q_value"]["frozen"])


def test_an_oracle_is_perfect_and_calibration_tells_what_happened():
    rng = np.random.default_rng(3)
    n = 4000
    chance = rng.uniform(0.2, 0.8, n)
    won = rng.random(n) < chance
    r = np.where(won, 1.2, -1.0)
    scored = pd.DataFrame({"number": np.arange(n) // 100 + 1, "confidence": chance, "won": won, "r_multiple": r})
    bins = candidate_scores.calibration(scored)
    assert bins["n"].tolist() == [400] * 10
    assert int(((bins["low"] <= bins["predicted"]) & (bins["predicted"] <= bins["high"])).sum()) >= 8
    oracle = candidate_scores.weekly_skill(scored.assign(confidence=won.astype(float)))
    assert (oracle["auc"] == 1).all()
    assert (oracle["top_r"] == 1.2).all()


def counted_votes(weeks, regimes, rule, seed=4, won_share=0.42):
    """Votes of nine heads of which `rule` says what the first does, the others toss a coin."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((weeks, regimes, len(HEAD_LETTERS), 2, 2))
    for week in range(weeks):
        won = rng.random((regimes, 60)) < won_share
        for head in range(len(HEAD_LETTERS)):
            says = rule(won, rng) if head == 0 else rng.random(won.shape) < 0.5
            for result in (0, 1):
                for hit in (0, 1):
                    counts[week, :, head, result, hit] = ((won == result) & ((says == won) == hit)).sum(axis=1)
    return counts


def test_a_head_that_always_says_no_knows_nothing_even_where_most_lose():
    found = head_record.hit_rates(counted_votes(20, 4, lambda won, rng: np.zeros(won.shape, dtype=bool)))
    first = found[found["head"] == "A"]
    assert first["hit_rate"].tolist() == [0.5] * 4
    assert not first["shown"].any()


def test_a_head_that_knows_is_shown_and_coins_are_not():
    def informed(won, rng):
        return np.where(rng.random(won.shape) < 0.65, won, ~won)

    found = head_record.hit_rates(counted_votes(30, 4, informed)).set_index(["regime", "head"])
    assert found["shown"].xs("A", level="head").all()
    assert found.drop(index="A", level="head")["shown"].sum() <= 1
    assert found["hit_rate"].xs("A", level="head").between(0.6, 0.7).all()


def test_q_values_agree_with_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(5).random(50) ** 2
    assert policy_history.false_discovery_q(p) == pytest.approx(multipletests(p, method="fdr_bh")[1])


def test_the_planted_heads_carry_the_top_hit_rates():
    """The sample has an edge in heads D, F and H from its first sealed week on (data/sample/params.yaml)."""
    week = sample()
    rates = head_record.head_hit_rates(week, candidate_scores.ablated_policies(week, textbook())["account"])
    known = rates.groupby("head")["shrunk"].mean().sort_values(ascending=False)
    assert "D" in known.index[:2]


# --- no learning ---


def test_textbook_policies_do_not_change_when_the_future_becomes_known():
    early, late = textbook("2018-05-07"), textbook()
    assert [p.learned for p in early] == [p.learned for p in late[: len(early)]]
    for before, after in zip(early, late, strict=False):
        assert before.thresholds == after.thresholds
        assert np.array_equal(before.spread, after.spread)


def test_no_learning_trades_through_the_same_book():
    shown = tracks.strategy_tracks(sample(), textbook(), sizing=SIZING)
    nothing = shown["no_learning"]
    assert len(nothing.days) == len(shown["account"].days)
    closed = nothing.trades[nothing.trades["status"] == "closed"]
    made = (closed["stake"] * closed["profit_ratio"]).sum()
    if (nothing.trades["status"] == "closed").all():
        assert nothing.days["equity"].iloc[-1] == pytest.approx(100_000 + made, abs=1)
    assert 0.2 * len(shown["account"].trades) < len(nothing.trades) < 5 * len(shown["account"].trades)


def test_the_frozen_recipe_is_the_one_that_never_refits():
    assert tracks.frozen_recipe(sample().seals) == "r2"


# --- the whole report ---


def test_the_report_of_the_sample_reads_through():
    text, board = whole_review(sample(), textbook())
    assert "Conclusion:" in text
    assert "nan" not in text.lower().replace("finance", "")
    assert set(board["verdict"]) <= {"met", "not met", "too early"}


@pytest.mark.parametrize("as_of", ["2018-04-09", "2018-04-23"])
def test_a_young_history_says_too_early(as_of):
    text, board = whole_review(sample(as_of), textbook(as_of))
    assert "too early" in text
    counted = board["goal"].isin(["Manual interventions", "Largest drawdown"])
    assert (board.loc[~counted, "verdict"] == "too early").all()
    assert "1 weeks" not in text


def test_a_history_without_a_trade_says_so():
    week = open_week(sample("2018-04-23").run.__dict__, root="data/sample")
    nothing = [
        replace(seal, ledger=seal.ledger.iloc[:0], shadow=seal.shadow.iloc[:0]) for seal in sample("2018-04-23").seals
    ]
    week.__dict__["seals"] = nothing
    text, board = whole_review(week, textbook("2018-04-23"))
    assert "No signal has closed yet" in text
    assert "n/a" in text
    assert (board.loc[board["goal"] == "Win rate", "verdict"] == "too early").all()


def test_a_history_without_a_baseline_compares_with_no_learning_alone():
    week = sample("2018-04-23")
    shown = tracks.strategy_tracks(week, textbook("2018-04-23"), sizing=SIZING)
    alone = {name: track for name, track in shown.items() if name != "frozen"}
    differences = learning_curve.against_others(alone, weeks=week.weeks)
    said = learning_review.history_reading(week, alone, events=NO_EVENT)
    assert "no baseline recipe" in repr(said)
    board = pd.DataFrame({"verdict": ["met"]})
    answer = learning_verdict.conclusion(
        alone, differences, weeks=week.weeks, seal=week.seal, gate=week.gate, board=board
    )
    assert "cannot be told from the market" in repr(answer)


# --- the answer ---


def answer(account, frozen, *, wealth=1.2, count=30):
    shown = {"account": made_up_track(account), "frozen": made_up_track(frozen, name="frozen")}
    gate = pd.DataFrame(
        {"kind": ["baseline"], "arm": ["r1"], "against": ["r2"], "date": [GENESIS], "wealth": [wealth], "bar": [80.0]}
    )
    trial = SimpleNamespace(kind="baseline", arm="r1", against="r2", since=MONDAYS[0], bar=80.0)
    seal = SimpleNamespace(champion="r1", trials=(trial,))
    weeks = MONDAYS[: count + 1]
    differences = learning_curve.against_others(shown, weeks=weeks)
    board = pd.DataFrame({"verdict": ["met", "too early", "not met"]})
    return repr(learning_verdict.conclusion(shown, differences, weeks=weeks, seal=seal, gate=gate, board=board))


def test_learning_shows_at_a_look_when_the_paired_interval_is_clear_of_zero():
    rng = np.random.default_rng(6)
    account, frozen = [[2 + x] for x in rng.normal(0, 1, 30)], [[x] for x in rng.normal(0, 1, 30)]
    said = answer(account, frozen, wealth=20.0)
    assert "shows at this look, and is not proved yet" in said
    assert "the bar is 80" in said
    assert "more weeks" not in said


def test_only_what_may_be_looked_at_every_week_proves():
    rng = np.random.default_rng(6)
    account, frozen = [[0.3 + x] for x in rng.normal(0, 2, 30)], [[x] for x in rng.normal(0, 2, 30)]
    assert "Learning is shown" in answer(account, frozen, wealth=90.0)
    assert "not shown yet" in answer(account, frozen, wealth=79.0)


def test_learning_that_costs_money_is_called_by_its_name():
    rng = np.random.default_rng(7)
    assert "has cost money" in answer([[x - 2] for x in rng.normal(0, 1, 30)], [[x] for x in rng.normal(0, 1, 30)])


def test_what_is_not_shown_yet_says_how_long_it_would_take():
    made = np.random.default_rng(8).normal(0, 3, 30)
    ahead, behind = made - made.mean() + 0.2, made - made.mean() - 0.2
    said = answer([[x] for x in ahead], [[0.0]] * 30)
    assert "not shown yet" in said
    assert "more weeks would show it with 80 % chance" in said
    assert "at most 83.3 %" in said
    assert "no number of weeks" in answer([[x] for x in behind], [[0.0]] * 30)


def test_seven_weeks_are_too_few_and_twins_have_nothing_to_tell_apart():
    assert "Too early: 7 weeks" in answer([[1.0]] * 7, [[0.5]] * 7, count=7)
    assert "Nothing to tell apart" in answer([[1.0]] * 9, [[1.0]] * 9, count=9)


def test_weeks_without_one_candidate_to_decide_on_have_tables_and_words():
    decisions = pd.DataFrame(columns=["week", "regime", "rule", "value", "certified", "n", "chosen", "earned"])
    decisions = decisions.assign(**{str(q): [] for q in learner_record.QUANTILES})
    regret = learner_record.threshold_regret(decisions)
    assert "none" in learner_tables.regret_table(regret)._repr_html_()
    assert "none" in learner_tables.decisions_table(decisions)._repr_html_()
    said = learner_readings.regret_reading(regret, recipe=SimpleNamespace(thresholds="rule"))
    assert "No decision has come to its end yet" in said.text
