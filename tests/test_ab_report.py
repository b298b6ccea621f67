"""The A/B report: frames worked by hand, words that follow the numbers, the empty slot and every decision."""

import ast
import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from edgebook.analyses import ab_report, ab_routed, ab_sample_size, ab_trials, power, repeated_looks, second_opinions
from edgebook.arms.gate import Trial, bet
from edgebook.errors import SettingsError
from edgebook.figures import figures_gate
from edgebook.reports import ab_decision, ab_readings, ab_routing_readings, ab_routing_tables, ab_tables
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "ab_test.ipynb"
PARAMS = load_params(Path(__file__).parents[1] / "params.yaml")
SECTIONS = {name: plain(getattr(PARAMS, name)) for name in ("gate", "learning", "sizing", "ab_test")}
SETTINGS = ab_trials.settings_of(**SECTIONS)
SHARE = PARAMS.gate.book_share
START = pd.Timestamp("2018-04-02", tz="UTC")
REGIMES = ["trending_bullish", "trending_bearish", "ranging", "volatile"]


def made_up_week(*, weeks=20, edge=0.0, over="", decision=None, events=(), seed=0, challenger=True):
    """A history of r1 with a frozen twin r2 and, unless said otherwise, a challenger r3 that makes `edge` R more a day.

    `over` ends the challenger's trial, by that outcome, a week before the last.
    """
    rng = np.random.default_rng(seed)
    days = pd.date_range(START, periods=7 * weeks, freq="D", tz="UTC", unit="ms")
    common = rng.normal(0, 2, len(days))
    r = {name: common + rng.normal(0, 1.3, len(days)) for name in ("r1", "r2", "r3")}
    r["r3"] = r["r3"] + edge
    until = str((START + pd.Timedelta(days=7 * weeks)).date())
    ended = str((START + pd.Timedelta(days=7 * (weeks - 1))).date())
    pairs = [("promotion", "r3", "r1")] * challenger + [("baseline", "r1", "r2")]
    gates, running, finished = [], [], []
    for kind, arm, against in pairs:
        n = len(days) - 7 * bool(over and kind == "promotion")
        difference = np.round(np.column_stack([r[arm] - r[against], 0.1 * (r[arm] - r[against])])[:n], 6)
        planned = 7 * SETTINGS.learning.trial_weeks if kind == "promotion" else 0
        trial = Trial.begin(kind, arm=arm, against=against, since="2018-04-02", bar=80.0, planned_days=planned)
        after, wealth = bet(trial, difference, gate=PARAMS.gate)
        frame = pd.DataFrame({"date": days[:n], "kind": kind, "arm": arm, "against": against})
        gates.append(
            frame.assign(
                book_difference=difference[:, 0], candidate_difference=difference[:, 1], wealth=wealth, bar=80.0
            )
        )
        if n < len(days):
            row = {"kind": kind, "arm": arm, "against": against, "since": "2018-04-02", "until": ended, "days": n}
            finished.append(row | {"wealth": after.wealth(book_share=SHARE), "bar": 80.0, "outcome": over})
        else:
            running.append(after)
    wealth = next((t.wealth(book_share=SHARE) for t in running if t.kind == "promotion"), None)
    made = decision or ({"action": "keep", "recipe": "r3", "wealth": wealth, "bar": 80.0} if wealth else None)
    head = {
        "as_of": until,
        "over": finished,
        "decision": made or {"action": "no challenger"},
        "events": list(events),
        "admissions": [{"week": "2018-04-02", "recipe": "r3"}] if challenger else [],
        "challenger": "r3" if challenger and not over else None,
        "settings": {"ab_test": plain(PARAMS.ab_test)},
    }
    titles = {"r1": "refit every week", "r2": "frozen first policy", "r3": "wider target"}
    recipes = {name: {"title": title} for name, title in titles.items()}
    arms = [pd.DataFrame({"date": days, "arm": name, "return_ratio": r[name] * 0.005}) for name in r]
    return SimpleNamespace(
        seal=SimpleNamespace(head=head, trials=tuple(running), as_of=until, recipes=recipes),
        gate=pd.concat(gates, ignore_index=True) if weeks else pd.DataFrame(columns=["date"]),
        days=pd.concat(arms, ignore_index=True),
        shadow=made_up_trades(rng, weeks=weeks),
        ledger=pd.DataFrame(columns=["signal_id", "open_date", "ab_test_version", "status"]),
        heads=[head],
        champion="r1",
        as_of=until,
        genesis="2018-04-02",
        periods_per_year=365,
    )


def made_up_trades(rng, *, weeks, a_week=25):
    frames = []
    for arm in ("r1", "r2", "r3"):
        n = weeks * a_week
        won = rng.random(n) < 0.48
        opened = START + pd.to_timedelta(np.sort(rng.integers(0, max(1, weeks * 7 - 2), n)), unit="D")
        frames.append(
            pd.DataFrame(
                {
                    "signal_id": [f"{arm}-{i}" for i in range(n)],
                    "arm": arm,
                    "open_date": pd.Series(opened).astype("datetime64[ms, UTC]"),
                    "close_date": pd.Series(opened + pd.Timedelta(days=1)).astype("datetime64[ms, UTC]"),
                    "profit_ratio": np.where(won, 0.018, -0.016),
                    "r_multiple": np.where(won, 1.2, -1.1),
                    "regime": rng.choice(REGIMES, n),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def whole_report(week):
    """Everything that the notebook shows of a week, as text."""
    trial, frozen = ab_trials.shown_trial(week), ab_trials.shown_trial(week, kind="baseline")
    evidence = ab_report.evidence(trial, settings=SETTINGS)
    spread = power.spread_of(trial, fallback=frozen)
    a_point = power.r_per_day(trial, week.shadow, win_rate=0.01)
    table = power.power_table(spread, worth_of_a_point=a_point, bar=80.0, settings=SETTINGS, paths=20)
    opinions = second_opinions.opinions(trial, week.shadow, looks=26, periods_per_year=365)
    weeks = repeated_looks.weeks_of(trial, week.shadow)
    falsely = repeated_looks.false_promotions(weeks, bar=80.0, settings=SETTINGS, paths=20, looks=12)
    regimes, trials = ab_report.by_regime(trial, week.shadow), ab_trials.every_trial(week)
    books = ab_report.books(trial, week.shadow, periods_per_year=365, risk_per_trade=0.005)
    flow = ab_sample_size.flow_of(trial, week.shadow, share=0.5, fallback=frozen)
    cost = ab_sample_size.cost_of_routing(flow)
    sizes = ab_sample_size.sample_sizes(
        flow, power.spread_of(flow.found), worth_of_a_point=a_point, settings=SETTINGS, paths=10, weeks=26
    )
    signals = ab_routed.routed_signals(week, trial)
    days = ab_routed.routed_days(signals, settings=SETTINGS)
    randomised = ab_routed.randomised_test(signals, days, settings=SETTINGS)
    budget, waiting = ab_report.error_budget(week, settings=SETTINGS), ab_report.approvals(week, settings=SETTINGS)
    every = {kind: ab_trials.comparisons(week, kind=kind) for kind in ("promotion", "baseline")}
    shown = [
        ab_readings.window(week, trial, settings=SETTINGS),
        figures_gate.wealth_picture(every["promotion"], every["baseline"], bar=80.0),
        ab_tables.evidence_table(evidence, settings=SETTINGS, bar=80.0),
        ab_decision.decision(week, trial, evidence, settings=SETTINGS),
        ab_readings.baseline(frozen, ab_report.evidence(frozen, settings=SETTINGS)),
        figures_gate.books_picture(trial, risk_per_trade=0.005),
        ab_tables.books_table(books),
        ab_tables.power_table(table, weeks=power.WEEKS, observed=spread.observed),
        ab_readings.power_reading(table, settings=SETTINGS, observed=spread.observed, weeks=power.WEEKS),
        ab_routing_readings.routing_in_force(week, settings=SETTINGS),
        ab_routing_tables.sample_sizes_table(sizes, flow, weeks=26),
        figures_gate.sample_sizes_picture(sizes, cost=cost, weeks=26),
        ab_routing_readings.sample_sizes_reading(sizes, flow, cost, weeks=26),
        ab_routing_tables.randomised_table(randomised),
        ab_routing_readings.randomised_reading(signals, randomised, settings=SETTINGS),
        ab_tables.opinions_table(opinions, falsely, found=trial),
        ab_readings.opinions_reading(opinions, falsely, found=trial),
        figures_gate.regimes_picture(regimes, trial),
        ab_tables.regimes_table(regimes, trial),
        ab_readings.regimes_reading(regimes, trial),
        ab_tables.trials_table(trials),
        ab_readings.trials_reading(trials),
        ab_tables.budget_table(budget),
        ab_tables.approvals_table(waiting),
        ab_readings.budget_reading(budget, waiting, settings=SETTINGS),
        ab_decision.conclusion(week, trial, evidence, table, settings=SETTINGS),
    ]
    return "\n\n".join(repr(one) for one in shown)


# --- numbers


def test_evidence_is_bet_anew_and_equals_what_was_sealed():
    week = made_up_week(edge=0.5)
    found = ab_trials.shown_trial(week)
    evidence = ab_report.evidence(found, settings=SETTINGS).set_index("hypothesis")
    assert evidence["wealth"]["both together"] == pytest.approx(found.wealth, abs=1e-5)
    share = SETTINGS.gate.book_share
    by_share = share * evidence["wealth"]["books"] + (1 - share) * evidence["wealth"]["all candidates"]
    assert by_share == pytest.approx(found.wealth, abs=1e-5)
    assert evidence["mean"]["books"] == pytest.approx(found.days["book_difference"].mean(), abs=1e-6)
    assert evidence["mean_low"]["books"] < evidence["mean"]["books"] < evidence["mean_high"]["books"]


def test_evidence_says_how_many_days_the_bounds_cut():
    week = made_up_week()
    week.gate.loc[0, "book_difference"] = -40.0
    books = ab_report.evidence(ab_trials.shown_trial(week), settings=SETTINGS).iloc[0]
    assert books["cut"] == pytest.approx(1 / 140, abs=1e-6)
    assert books["counted"] == pytest.approx(books["mean"] + 22 / 140, abs=1e-5)


def test_the_running_trial_is_shown_before_the_last_one_and_a_baseline_for_want_of_both():
    assert ab_trials.shown_trial(made_up_week()).running
    last = ab_trials.shown_trial(made_up_week(over="retired"))
    assert (last.arm, last.running, last.outcome, len(last.days)) == ("r3", False, "retired", 133)
    alone = ab_trials.shown_trial(made_up_week(challenger=False))
    assert (alone.kind, alone.arm, alone.against) == ("baseline", "r1", "r2")


def test_a_trial_sees_only_its_own_days_and_signals():
    week = made_up_week(over="retired")
    found = ab_trials.shown_trial(week)
    assert found.days["date"].max() < pd.Timestamp(found.until, tz="UTC")
    own = ab_trials.trades_of(found, week.shadow, arm="r3")
    assert own["close_date"].max() <= pd.Timestamp(found.until, tz="UTC")
    assert set(own["arm"]) == {"r3"}


def test_books_by_hand():
    days = pd.DataFrame({"date": pd.date_range(START, periods=3, freq="D", unit="ms")})
    days = days.assign(arm_return=[0.01, -0.02, 0.03], against_return=0.0, book_difference=0.0)
    days = days.assign(candidate_difference=0.0, wealth=1.0)
    found = ab_trials.Comparison("promotion", "r3", "r1", "2018-04-02", "2018-04-09", 80.0, "on trial", days)
    books = ab_report.books(found, made_up_week().shadow.head(0), periods_per_year=365, risk_per_trade=0.005)
    assert books["role"].tolist() == ["champion", "challenger"]
    assert books["return_ratio"].tolist() == pytest.approx([0.0, 1.01 * 0.98 * 1.03 - 1], abs=1e-6)
    assert books["mean_r"].tolist() == pytest.approx([0.0, 0.02 / 3 / 0.005], abs=1e-5)
    assert books["max_drawdown"].tolist() == pytest.approx([0.0, 0.02])
    assert books["signals"].tolist() == [0, 0]


def test_by_regime_pairs_what_the_market_of_a_week_did_to_both():
    """Both arms hold the same signals, which swing from week to week; one makes a tenth more on each."""
    rng = np.random.default_rng(1)
    trades = made_up_trades(rng, weeks=20).query("arm == 'r1'").reset_index(drop=True)
    weekly = rng.normal(0, 1, 20)[(trades["open_date"] - START).dt.days.to_numpy() // 7]
    base = trades.assign(r_multiple=weekly + rng.normal(0, 0.05, len(trades)), regime="ranging")
    both = pd.concat([base, base.assign(arm="r3", r_multiple=base["r_multiple"] + 0.1)], ignore_index=True)
    found = ab_trials.shown_trial(made_up_week())
    row = ab_report.by_regime(found, both).set_index("regime").loc["ranging"]
    assert row["difference"] == pytest.approx(0.1, abs=1e-6)
    assert row["difference_high"] - row["difference_low"] < 0.01
    assert (row["n_arm"], row["n_against"], row["n"]) == (500, 500, 20)


def test_error_budget_counts_admissions_by_calendar_year():
    week = made_up_week(weeks=50)
    week.seal.head["admissions"] = [
        {"week": day, "recipe": r} for day, r in [("2018-04-02", "r3"), ("2019-01-07", "r4")]
    ]
    budget = ab_report.error_budget(week, settings=SETTINGS)
    assert budget["year"].tolist() == ["2018", "2019"]
    assert budget["recipes"].tolist() == ["r3", "r4"]
    assert budget["spent"].tolist() == [0.025, 0.025]
    assert budget["left"].tolist() == [0.025, 0.025]


def test_power_grows_with_the_edge_and_stays_under_the_error_without_one():
    spread = power.spread_of(ab_trials.shown_trial(made_up_week(weeks=40)))
    table = power.power_table(spread, worth_of_a_point=0.1, bar=80.0, settings=SETTINGS, paths=150)
    assert table["full"].is_monotonic_increasing
    assert (table["full"] >= table["half"]).all()
    assert table["full"].iloc[0] <= 0.04
    assert table["full"].iloc[-1] == 1.0
    assert (table["median_both"] <= table["median"]).all()
    assert table.loc[table["win_rate"] == 0.05, "edge_r"].tolist() == [0.5]
    assert power.edge_in_a_year(table) in table["edge_r"].tolist()


def test_power_repeats_itself_and_does_not_change_its_input():
    spread = power.spread_of(ab_trials.shown_trial(made_up_week()))
    before = spread.centred.copy()
    ask = {"worth_of_a_point": np.nan, "bar": 80.0, "settings": SETTINGS, "paths": 10, "weeks": 20}
    pd.testing.assert_frame_equal(power.power_table(spread, **ask), power.power_table(spread, **ask))
    np.testing.assert_array_equal(spread.centred, before)


def test_spread_has_no_edge_left_and_falls_back_on_the_baseline_then_on_made_up_days():
    week = made_up_week(edge=2.0)
    found = ab_trials.shown_trial(week)
    assert power.spread_of(found).centred.mean(axis=0) == pytest.approx([0, 0], abs=1e-12)
    short = ab_trials.shown_trial(made_up_week(weeks=2))
    assert power.spread_of(short, fallback=found).observed == 140
    assert power.spread_of(short).observed == 0


def test_worth_of_a_point_by_hand():
    """3,500 signals in 140 days, wins of 1.2 R, losses of 1.1 R: a point of win rate is 0.01 × 2.3 × 25 / 7 R a day."""
    week = made_up_week()
    found = ab_trials.shown_trial(week)
    assert power.r_per_day(found, week.shadow, win_rate=0.01) == pytest.approx(0.01 * 2.3 * 500 / 140)


# --- words


@pytest.mark.parametrize("weeks", [1, 3, 20])
def test_a_challenger_on_trial(weeks):
    text = whole_report(made_up_week(weeks=weeks))
    assert "it goes on" in text
    assert "keep r1; not enough evidence for r3" in text
    assert f"{52 - weeks} weeks are left" in text
    assert f"In force in the week to {made_up_week(weeks=weeks).as_of}: paired." in text
    costs = [float(c) for c in re.findall(r"Routing costs (\d+\.\d) times", text)]
    assert len(costs) == (weeks == 20)
    assert all(1.5 < cost < 2.5 for cost in costs)  # signals of which no two share a market: about twice the data
    assert "No signal of this trial was routed: the randomised test has nothing to read." in text
    assert "nan" not in text.lower().replace("finance", "")


def test_an_empty_slot_shows_the_last_challenger():
    text = whole_report(made_up_week(over="retired"))
    assert "no challenger stands. The last, r3, ended on" in text
    assert "1 challenger so far: 1 retired" in text


def test_no_challenger_at_all_shows_the_baseline():
    text = whole_report(made_up_week(challenger=False))
    assert "No challenger has been admitted yet. Shown instead is the baseline" in text
    assert "No challenger has been admitted so far." in text
    assert "No proposal has come yet." in text
    assert "none of the 5 % is spent" in text


def test_an_empty_history_reads_well():
    week = made_up_week(weeks=1, challenger=False)
    week.seal.trials = ()
    text = whole_report(week)
    assert "there is nothing to compare" in text
    assert "There is no evidence yet, for or against." in text


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({"action": "promote", "recipe": "r3", "wealth": 91.0, "bar": 80.0}, "promote r3 (wealth 91.00, bar 80)"),
        ({"action": "retire", "recipe": "r3", "wealth": 0.2, "bar": 80.0}, "retire r3 and keep r1"),
        ({"action": "roll back", "recipe": "r1", "wealth": 4.2, "bar": 4.0}, "roll back to r1"),
        ({"action": "pin", "recipe": "r1", "reason": "fees changed"}, "set by hand: fees changed"),
        ({"action": "begin", "recipe": "r1"}, "the history begins with r1"),
    ],
)
def test_every_decision_has_its_words(decision, said):
    week = made_up_week(over="retired", decision=decision)
    found = ab_trials.shown_trial(week)
    evidence = ab_report.evidence(found, settings=SETTINGS)
    assert said in repr(ab_decision.decision(week, found, evidence, settings=SETTINGS))


def routed(week, *, edge=0.0, open_days=0, a_day=4):
    """The week with its last ten weeks routed, half of the signals to r3, which makes `edge` R more on each."""
    rng = np.random.default_rng(4)
    until = pd.Timestamp(week.as_of, tz="UTC")
    opened = np.sort(rng.integers(1, 71, 70 * a_day))[::-1]
    to_b = rng.random(len(opened)) < 0.5
    r = np.where(rng.random(len(opened)) < 0.47, 1.2, -1.05) + edge * to_b
    week.ledger = pd.DataFrame(
        {
            "signal_id": [f"s{i}" for i in range(len(opened))],
            "open_date": until - pd.to_timedelta(opened, unit="D"),
            "ab_test_version": np.where(to_b, "B:r3", "A:r1"),
            "status": np.where(opened <= open_days, "open", "closed"),
            "r_multiple": r,
            "profit_ratio": 0.01 * r,
        }
    )
    now = plain(PARAMS.ab_test) | {"routing": "randomised"}
    weeks = [str((until - pd.Timedelta(days=7 * k)).date()) for k in range(9, -1, -1)]
    week.heads = [week.seal.head | {"as_of": as_of, "settings": {"ab_test": now}} for as_of in weeks]
    return week


def test_routed_signals_are_read_and_do_not_decide():
    text = whole_report(routed(made_up_week(), open_days=1))
    assert "randomised.** A hash of each signal's name sends 50.0 % to the challenger" in text
    assert "From the next week on: paired, by the settings of today." in text
    assert "10 of 10 sealed weeks were routed." in text
    assert "280 signals were routed, 27" in text
    assert "the bar is 40 and it has not reached it. Today none of the 2 second opinions would promote." in text
    assert "keep r1; not enough evidence for r3" in text


def test_routed_signals_with_a_large_edge_are_said_to_promote():
    text = whole_report(routed(made_up_week(), edge=2.5))
    assert "it reached it. Today Welch's t, two-proportion z would promote. None of this decides." in text
    assert "keep r1; not enough evidence for r3" in text


def test_routed_signals_that_are_all_open_say_so():
    week = routed(made_up_week(), open_days=80)
    assert "no day of entry is complete yet" in whole_report(week)


def test_a_challenger_that_nobody_approved_is_said_to_be_retired_for_it():
    text = "recommended on 2018-08-06, not approved by the end of its trial"
    event = {"kind": "retired", "recipe": "r3", "text": text}
    decision = {"action": "retire", "recipe": "r3", "wealth": 95.0, "bar": 80.0}
    week = made_up_week(over="retired", decision=decision, events=[event])
    found = ab_trials.shown_trial(week)
    said = repr(ab_decision.decision(week, found, ab_report.evidence(found, settings=SETTINGS), settings=SETTINGS))
    assert f"retire r3 and keep r1 (wealth 95.00, bar 80): {text}." in said


def test_a_recommendation_waits_and_is_listed():
    event = {"kind": "recommended", "recipe": "r3", "text": "waits"}
    waits = {"action": "recommend", "recipe": "r3", "wealth": 95.0, "bar": 80.0}
    week = made_up_week(edge=1.0, decision=waits, events=[event])
    approvals = ab_report.approvals(week, settings=SETTINGS)
    assert approvals["status"].tolist() == ["waits"]
    budget = ab_report.error_budget(week, settings=SETTINGS)
    assert "Waiting for approval: r3." in repr(ab_readings.budget_reading(budget, approvals, settings=SETTINGS))
    assert "waits for approval" in repr(ab_tables.trials_table(ab_trials.every_trial(week)))


def test_a_bound_that_turns_the_sign_is_said():
    week = made_up_week()
    own = week.gate["arm"] == "r3"
    week.gate.loc[own, "book_difference"] = [-40.0, -40.0] + [0.4] * 138
    found = ab_trials.shown_trial(week)
    evidence = ab_report.evidence(found, settings=SETTINGS)
    text = repr(ab_decision.decision(week, found, evidence, settings=SETTINGS))
    assert "For books it turns the sign of the mean" in text


def test_the_baseline_reading_follows_its_wealth():
    week = made_up_week(weeks=52, edge=0.0)
    frozen = ab_trials.shown_trial(week, kind="baseline")
    text = repr(ab_readings.baseline(frozen, ab_report.evidence(frozen, settings=SETTINGS)))
    assert ("Undecided" in text) == (1 < frozen.wealth < 80)


def test_settings_that_do_not_exist_are_named():
    with pytest.raises(SettingsError, match="gate"):
        ab_trials.settings_of(**SECTIONS | {"gate": SECTIONS["gate"] | {"alpha": 0.1}})


# --- the notebook


def test_notebook_defaults_are_the_settings_of_the_sample():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    given = next(cell for cell in cells if "parameters" in cell["metadata"].get("tags", []))
    values = {s.targets[0].id: ast.literal_eval(s.value) for s in ast.parse("".join(given["source"])).body}
    assert values.pop("root") == "data/sample"
    assert set(values.pop("run")) == {"history", "as_of", "previous", "genesis"}
    sample = load_params(NOTEBOOK.parents[1] / "data" / "sample" / "params.yaml")
    assert values == json.loads(json.dumps({name: plain(getattr(sample, name)) for name in SECTIONS}))


def test_notebook_cells_are_short_and_define_nothing():
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    calls = [cell for cell in cells if cell["cell_type"] == "code" and not cell["metadata"].get("tags")]
    code = ["".join(cell["source"]) for cell in calls]
    assert max(source.count("\n") + 1 for source in code) <= 10
    kinds = [type(node) for source in code for node in ast.walk(ast.parse(source))]
    assert not {ast.FunctionDef, ast.For, ast.While, ast.Lambda} & set(kinds)
