"""The text of the pull request: verdicts worked by hand, numbers from the ledger, changes, settings, inert names."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from markdown_it import MarkdownIt

from edgebook.loop.history import backfill
from edgebook.pages.report_names import REPORTS
from edgebook.policy.market import milliseconds
from edgebook.policy.signals import entering_rows, find_signals
from edgebook.seals.seals import read_seal
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.statistics.intervals import clusters_of, rate_interval
from edgebook.summary import summary_numbers
from edgebook.summary.summary_changes import importance_changes, policy_changes
from edgebook.summary.summary_numbers import WINDOW_WEEKS, week_numbers
from edgebook.summary.summary_settings import Change, settings_changes, unnamed_change
from edgebook.summary.summary_silence import silence
from edgebook.summary.summary_state import Gap, bar_gaps, late_told, open_positions
from edgebook.summary.summary_text import checklist, gather_facts, summary_text
from edgebook.summary.summary_verdict import verdict_of
from small_market import LAST, copy_history

NEXT = "2018-06-04"


@pytest.fixture(scope="module")
def week(small) -> Week:
    return Week(load_params(small.params).run, small)


def with_seal(week: Week, **changes: object) -> Week:
    """The same week with another seal at its end; `head` is laid over the one there is."""
    if "head" in changes:
        changes["head"] = week.seal.head | changes["head"]  # type: ignore[operator]
    fresh = Week(week.run, week.paths)
    seal = replace(week.seal, **changes)
    fresh.__dict__["seals"] = [*week.seals[:-1], seal]
    fresh.__dict__["seal"] = seal
    fresh.__dict__["heads"] = [*week.heads[:-1], {**week.heads[-1], **seal.head}]
    return fresh


# --- verdicts


def trial(kind: str = "promotion", *, arm: str = "r3", against: str = "r1", days: int = 70, **more: object) -> object:
    given = {"kind": kind, "arm": arm, "against": against, "days": days, "since": "2018-04-02", "bar": 40.0}
    both = {1.0: 3.0, 0.0: 2.25}
    return SimpleNamespace(**given | {"crossed": None, "wealth": lambda *, book_share: both[book_share]} | more)


def decided(action: str, *, trials: tuple = (), events: tuple = (), over: tuple = (), **decision: object) -> object:
    head = {
        "champion": "r1", "champion_version": "r1@2018-06-11", "as_of": "2018-06-11", "events": list(events),
        "decision": {"action": action, "recipe": "r3"} | decision, "over": list(over),
        "settings": {"gate": {"rollback_weeks": 26}},
    }  # fmt: skip
    return SimpleNamespace(seal=SimpleNamespace(head=head, trials=trials), heads=[head])


def test_keep_says_how_far_the_bar_is_and_what_is_left() -> None:
    said = verdict_of(decided("keep", trials=(trial(),), wealth=2.5, bar=40.0), trial_weeks=52)
    assert (said.action, said.title) == ("keep", "Keep r1: r3 has not shown enough yet")
    assert said.why == (
        "The evidence for r3 stands at wealth 2.50; 40 would promote it. It began at 1 on 2018-04-02, 10 weeks ago. "
        "It would have to grow 16.0-fold; 42 weeks of the trial are left. Bets on the two books alone stand at 3.00, "
        "on what both said of all candidates at 2.25."
    )
    assert "reaches 40 with a chance of at most 2.5 %" in said.means
    assert said.means.endswith("Not enough yet says nothing against r3.")
    lower = verdict_of(decided("keep", trials=(trial(),), wealth=0.5, bar=40.0))
    assert lower.means.endswith("Below 1, the bets on r3 have lost so far; that does not show that it is worse.")


def test_promotion_names_the_chance_of_being_wrong_and_who_watches() -> None:
    watch = trial("rollback", arm="r1", against="r3", days=0, bar=4.0)
    said = verdict_of(decided("promote", trials=(watch,), wealth=81.2, bar=80.0))
    assert (said.title, said.tone) == ("Promote r3: it takes over from r1", "good")
    assert (
        "wealth 81.20, and 80 promotes. Were it no better, that would happen with a chance of at most 1.25 %"
        in said.why
    )
    assert "r1 is kept in shadow for 26 weeks" in said.means
    assert "reaches wealth 4" in said.means


def test_a_recommendation_waits_and_says_for_what() -> None:
    reached = trial(days=77, crossed="2018-06-11")
    said = verdict_of(decided("recommend", trials=(reached,), wealth=44.0, bar=40.0), trial_weeks=52)
    assert (said.action, said.tone) == ("awaiting approval", "wait")
    assert said.title == "Awaiting approval: the gate recommends r3"
    assert "reached its bar of 40 on 2018-06-11; wealth is 44.00 now" in said.why
    assert "`edgebook approve`" in said.means
    assert said.means.endswith("when its trial ends in 41 weeks.")


def test_a_rollback_says_who_fell() -> None:
    over = ({"kind": "rollback", "arm": "r3", "against": "r5", "until": "2018-06-11"},)
    said = verdict_of(decided("roll back", over=over, wealth=4.4, bar=4.0))
    assert (said.title, said.tone) == ("Roll back to r3: r5 did worse since its promotion", "bad")
    assert "undone with a chance of at most 25 %" in said.why


def test_a_retirement_gives_its_reason_and_the_next_in_the_slot() -> None:
    events = (
        {"kind": "retired", "recipe": "r3", "text": "wealth 0.189 after 34 weeks, hopeless"},
        {"kind": "admitted", "recipe": "r4", "text": "tuning"},
    )
    said = verdict_of(decided("retire", events=events, wealth=0.189, bar=40.0))
    assert said.title == "Keep r1: r3 is retired"
    assert said.why == (
        "The trial of r3 ended at wealth 0.19; 40 would have promoted it (wealth 0.189 after 34 weeks, hopeless)."
    )
    assert said.means.endswith("r4 takes the slot.")


def test_no_challenger_says_why_the_slot_is_empty() -> None:
    spent = ({"kind": "waiting", "recipe": "r7", "text": "the error budget of 2018 is spent on 4 challengers"},)
    said = verdict_of(decided("no challenger", events=spent))
    assert said.title == "Keep r1: no challenger is on trial"
    assert said.why == "The error budget of 2018 is spent on 4 challengers (2018-06-11)."
    assert verdict_of(decided("no challenger")).why == "No proposal has come yet."
    ended = ({"kind": "retired", "recipe": "r3", "text": "time is up"},)
    said = verdict_of(decided("no challenger", events=ended))
    assert said.why == "No proposal has come since r3 was retired (2018-06-11)."


def test_the_beginning_and_a_hand_are_told_apart_from_the_gate() -> None:
    assert verdict_of(decided("begin")).title == "The history begins with r1"
    said = verdict_of(decided("pin", reason="too many losses"))
    assert (said.action, said.title, said.tone) == ("set by hand", "Set by hand: r3 is the champion", "wait")
    assert said.why == "The reason given: too many losses."


# --- numbers


def test_every_number_is_what_the_ledgers_say(small, week, monkeypatch) -> None:
    """Read from the files by other means than the week's own; the window is shorter than the history."""
    window = 4
    monkeypatch.setattr(summary_numbers, "WINDOW_WEEKS", window)
    weeks = [p.stem for p in sorted((small.root / "data" / "ledger" / "main").glob("*.csv"))]

    def closed(names: list[str]) -> pd.DataFrame:
        frames = [pd.read_csv(small.ledger(history="main", as_of=name)) for name in names]
        rows = pd.concat([frame for frame in frames if len(frame)])
        return rows[rows["status"] == "closed"]

    found = {(one.name, one.window): one for one in week_numbers(week)}
    for at, side in ((len(weeks), "this"), (len(weeks) - 1, "last")):
        mine = closed(weeks[at - 1 : at])
        last = closed(weeks[max(0, at - window) : at])
        account = json.loads((small.seal(history="main", as_of=weeks[at - 1]) / "account.json").read_text("utf-8"))
        days = pd.concat([pd.read_csv(small.seal(history="main", as_of=name) / "days.csv") for name in weeks[:at]])
        equity = days.loc[days["arm"] == "account", "equity"]
        opened = pd.concat([pd.read_csv(small.ledger(history="main", as_of=weeks[at - 1]))])
        begin = pd.Timestamp(weeks[at - 1], tz="UTC") - pd.Timedelta(days=7)
        expected = {
            ("signals entered", "the week"): (pd.to_datetime(opened["open_date"], utc=True) >= begin).sum(),
            ("signals closed", "the week"): len(mine),
            ("won", "the week"): (mine["profit_ratio"] > 0).sum(),
            ("R of all that closed", "the week"): mine["r_multiple"].sum(),
            ("signals closed", "13 weeks"): len(last),
            ("win rate", "13 weeks"): (last["profit_ratio"] > 0).mean(),
            ("expectancy a trade", "13 weeks"): last["r_multiple"].mean(),
            ("win rate", "since genesis"): (closed(weeks[:at])["profit_ratio"] > 0).mean(),
            ("equity", "at the end"): account["equity"],
            ("drawdown", "at the end"): 1 - account["equity"] / max(100_000.0, equity.max()),
            ("open positions", "at the end"): len(account["positions"]),
        }
        for key, value in expected.items():
            assert getattr(found[key], side) == pytest.approx(value, abs=1e-6), (key, side)
    rate = found["win rate", "13 weeks"]
    assert rate.change == pytest.approx(rate.this - rate.last)
    rows = closed(weeks[-window:])
    clusters = clusters_of(pd.to_datetime(rows["open_date"], utc=True))
    band = rate_interval((rows["profit_ratio"] > 0).to_numpy(), clusters=clusters)
    assert (rate.low, rate.high) == pytest.approx((band.low, band.high), abs=1e-6)
    assert rate.n == len(rows)


def test_a_young_history_is_not_told_twice(week) -> None:
    assert len(week.seals) - 1 <= WINDOW_WEEKS
    assert not [one for one in week_numbers(week) if one.window == "13 weeks"]
    said = summary_text(week, gather_facts(week))
    assert "judge by what is counted since genesis, 2018-04-02. Everything" in said
    assert "13 weeks" not in said


def test_a_week_without_a_signal_says_what_its_candidates_fell_short_of(week) -> None:
    assert silence(week) == []
    before, seal = week.seals[-2:]

    def said(**changes: object) -> str:
        arm = before.arms[before.champion]
        policy = replace(arm.policy, **changes)
        quiet = Week(week.run, week.paths)
        changed = replace(before, arms={**before.arms, before.champion: replace(arm, policy=policy)})
        quiet.__dict__["seals"] = [*week.seals[:-2], changed, replace(seal, ledger=seal.ledger.iloc[:0])]
        (sentence,) = silence(quiet)
        return sentence

    many = policy_signals(week)
    assert said().startswith(f"Nothing was entered: {many:,} signals, for none of which the account had room")
    assert "heads agreed on one, and 10 are asked for" in said(min_heads_agree=10)
    never = {regime: replace(own, value=1.0) for regime, own in before.arms[before.champion].policy.thresholds.items()}
    assert said(thresholds=never).endswith("stood at its threshold with evidence in favour.")


def policy_signals(week: Week) -> int:
    """Signals of the champion in the last week, in account order or not."""
    before, seal = week.seals[-2:]
    policy = before.arms[before.champion].policy
    market = week.arrays.labelled(policy.regimes)
    since, until = milliseconds(before.as_of), milliseconds(seal.as_of)
    rows = entering_rows(market, market.plans[policy.exit_plan], since=since, until=until)
    return len(find_signals(policy, market, rows=rows, until=until).row)


def test_the_wealth_of_a_trial_that_ended_this_week_stays_beside_last_weeks(week) -> None:
    """A retirement ends its trial; last week it was still running."""
    trials = tuple(trial for trial in week.seal.trials if trial.kind != "promotion")
    over = [{"kind": "promotion", "arm": "r3", "against": "r1", "until": LAST, "days": 56, "wealth": 0.19, "bar": 40.0}]
    numbers = {one.name: one for one in week_numbers(with_seal(week, trials=trials, head={"over": over}))}
    found = numbers["wealth of r3 against r1"]
    assert (found.this, found.n) == (0.19, 56)
    before = next(trial for trial in week.seals[-2].trials if trial.kind == "promotion")
    assert found.last == before.wealth(book_share=0.7)


def test_the_first_week_has_no_last(week) -> None:
    first = Week(replace(week.run, as_of="2018-04-02"), week.paths)
    found = week_numbers(first)
    assert all(one.last is None for one in found)
    facts = gather_facts(first)
    assert summary_text(first, facts).startswith("# The history begins with r1\n")
    assert (facts.changes, facts.settings, facts.unnamed) == ([], [], False)


# --- policies


def test_a_policy_that_stayed_is_said_to_have_stayed(week) -> None:
    frozen = replace(week.seal.arms["r1"].policy, learned="2018-05-01", fitted="2018-05-01")
    seal = replace(week.seal, arms=week.seal.arms | {"r1": replace(week.seal.arms["r1"], policy=frozen)})
    assert policy_changes(seal, seal) == ["Nothing: the policy is the one of last week, to the last digit."]


def test_the_largest_moves_are_named_first_and_regimes_that_move_alike_are_one(week) -> None:
    seal = week.seal
    arm = seal.arms["r1"]
    before = np.zeros_like(arm.policy.weights)
    after = before.copy()
    after[:, 7] = 0.5  # head H, everywhere
    after[2, 0] = -0.75  # head A in the third regime, ranging
    first, second = (
        replace(seal, arms=seal.arms | {"r1": replace(arm, policy=replace(arm.policy, weights=weights))})
        for weights in (before, after)
    )
    told = next(line for line in policy_changes(first, second) if line.startswith("Head weights"))
    assert told == ("Head weights: A (Trend following) in ranging 0.00 to −0.75, H (Cycle & seasonality) 0.00 to 0.50.")


def test_a_certificate_won_is_told_apart_from_a_threshold_that_moved(week) -> None:
    arm = week.seal.arms["r1"]
    thresholds = {name: replace(one, value=0.5, certified=False) for name, one in arm.policy.thresholds.items()}
    moved = thresholds | {
        "volatile": replace(thresholds["volatile"], value=0.6, certified=True),
        "ranging": replace(thresholds["ranging"], value=0.55),
    }
    first, second = (
        replace(week.seal, arms=week.seal.arms | {"r1": replace(arm, policy=replace(arm.policy, thresholds=given))})
        for given in (thresholds, moved)
    )
    lines = policy_changes(first, second)
    assert "The threshold in volatile is certified now: 0.500 to 0.600." in lines
    assert "Thresholds: ranging 0.500 to 0.550." in lines


def test_an_importance_run_says_what_it_dropped_and_brought_back() -> None:
    def run(kept: list[str], dropped: list[str]) -> dict[str, str]:
        return {"keep.json": json.dumps({"at": "2018-07-02", "kept": kept, "dropped": dropped})}

    before, now = run(["a", "b"], ["c"]), run(["a", "c"], ["b"])
    assert importance_changes(before, now, selecting=["r4"]) == [
        "New importance run of 2018-07-02: 2 of 3 indicators kept; dropped b; brought back c (heeded by r4)."
    ]
    assert importance_changes(now, now, selecting=[]) == []
    clusters = [{"evidence": "line"}, {"evidence": "none"}]
    found = {"keep.json": json.dumps(json.loads(now["keep.json"]) | {"clusters": clusters})}
    assert (
        "2 of 3 indicators kept (1 of 2 clusters on evidence); dropped b"
        in importance_changes(before, found, selecting=[])[0]
    )
    same = importance_changes(before, run(["b", "a"], ["c"]), selecting=[])
    assert same == [
        "New importance run of 2018-07-02: 2 of 3 indicators kept, the same as before (no running recipe heeds it)."
    ]


def test_a_new_recipe_is_told_by_what_differs(week) -> None:
    recipes = week.seal.recipes
    own = recipes["r1"]["settings"] | {"train_weeks": 39}
    added = {"r9": recipes["r3"] | {"origin": "tuning of 2018-05-28", "settings": own, "since": LAST}}
    lines = policy_changes(week.seal, replace(week.seal, recipes=recipes | added))
    assert lines[0] == "Recipe r9 was added (tuning of 2018-05-28): train_weeks 39 (champion: 52)."


# --- settings


def test_a_changed_setting_is_named_and_nothing_else(small, tmp_path) -> None:
    paths = copy_history(small, tmp_path / "mine")
    text = paths.params.read_text(encoding="utf-8")
    text = text.replace("risk_per_trade: 0.005", "risk_per_trade: 0.004").replace(
        f'as_of: "{LAST}", previous: "2018-05-21"', f'as_of: "{NEXT}", previous: "{LAST}"'
    )
    paths.params.write_text(text, encoding="utf-8")
    params = load_params(paths.params)
    backfill(params, paths, until=NEXT)
    before, now = (read_seal(paths, history="main", as_of=as_of) for as_of in (LAST, NEXT))
    assert settings_changes(before, now) == [Change("sizing.risk_per_trade", "0.005", "0.004")]
    assert not unnamed_change(before, now)
    text = summary_text(Week(params.run, paths), gather_facts(Week(params.run, paths)))
    rows = text.split("## Settings that changed")[1].split("##")[0].strip().splitlines()
    assert rows[2:] == ["| `sizing.risk_per_trade` | `0.005` | `0.004` |"]
    assert "Were the settings below meant to change?" in text


def test_settings_that_stayed_are_not_named_and_a_hidden_one_is_pointed_at(week) -> None:
    before, now = week.seals[-2:]
    assert settings_changes(before, now) == []
    assert not unnamed_change(before, now)
    prints = now.head["fingerprints"] | {"parameters": "0" * 16}
    hidden = with_seal(week, head={"fingerprints": prints})
    assert unnamed_change(before, hidden.seal)
    assert "A setting of `learning` changed" in summary_text(hidden, gather_facts(hidden))


def test_a_recipe_by_hand_is_a_setting_and_one_of_the_tuning_is_not(week) -> None:
    entry = week.seal.recipes["r3"]
    more = {"r8": entry | {"origin": "proposed by hand"}, "r9": entry | {"origin": "tuning of 2018-05-28"}}
    now = replace(week.seal, recipes=week.seal.recipes | more)
    assert settings_changes(week.seal, now) == [Change("recipes.r8", "none", "proposed by hand")]


# --- positions and bars


def bars_of(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["pair", "timeframe", "date", "close"])
    return frame.assign(date=pd.to_datetime(frame["date"], utc=True))


def position(pair: str = "BTC/USD", *, is_short: bool = False, **more: object) -> dict[str, object]:
    return {
        "signal_id": f"{pair}_1", "pair": pair, "timeframe": "1h", "is_short": is_short,
        "open_date": "2019-06-30T05:00:00Z", "open_rate": 100.0, "take_profit_abs": 110.0, "stop_loss_abs": 95.0,
        "fee_open": 0.001, "certified": False,
    } | more  # fmt: skip


def test_an_open_position_is_marked_at_the_last_close_that_is_known() -> None:
    bars = bars_of(
        ("BTC/USD", "1h", "2019-06-30 23:00", 101.0), ("BTC/USD", "4h", "2019-07-01 00:00", 102.0),
        ("BTC/USD", "1h", "2019-07-01 01:00", 50.0),
    )  # fmt: skip
    one = open_positions([position()], bars, as_of="2019-07-01")[0]
    assert (one.side, one.opened, one.mark) == ("long", "2019-06-30 05:00", 102.0)
    assert one.r_so_far == pytest.approx((0.02 - 0.001) / 0.05)
    short = open_positions([position(is_short=True, stop_loss_abs=105.0)], bars, as_of="2019-07-01")[0]
    assert short.r_so_far == pytest.approx((-0.02 - 0.001) / 0.05)
    assert open_positions([position("ETH/USD")], bars, as_of="2019-07-01")[0].mark is None


def hourly(pair: str, *, weeks: int = 4, without: int = 0) -> pd.DataFrame:
    dates = pd.date_range(end="2019-07-01", periods=168 * weeks, freq="h", tz="UTC")
    dates = dates[: len(dates) - 5 - without].append(dates[len(dates) - 5 :])
    return pd.DataFrame({"pair": pair, "timeframe": "1h", "date": dates, "close": 1.0})


def test_missing_bars_are_named_by_series_and_a_market_that_closed_once() -> None:
    whole = pd.concat([hourly("A"), hourly("B")])
    assert bar_gaps(whole, as_of="2019-07-01") == []
    assert bar_gaps(pd.concat([hourly("A"), hourly("B", without=3)]), as_of="2019-07-01") == [Gap("B", "1h", 165, 168)]
    holiday = pd.concat([hourly("A", without=2), hourly("B", without=2)])
    assert bar_gaps(holiday, as_of="2019-07-01") == [Gap("", "1h", 166, 168)]
    silent = pd.concat([hourly("A"), hourly("B").iloc[: 168 * 3]])
    assert bar_gaps(silent, as_of="2019-07-01") == [Gap("B", "1h", 0, 168)]
    ended = pd.concat([hourly("A"), hourly("B").iloc[: 168 * 2]])
    assert bar_gaps(ended, as_of="2019-07-01") == []


def test_a_week_that_ran_without_late_bars_says_whose() -> None:
    late = pd.concat([hourly("A"), hourly("B").iloc[:-24]])
    (told,) = late_told(late, as_of="2019-07-01")
    assert told == "The week was run without late bars: none of B 1h since 2019-06-30 00:00 UTC."
    assert late_told(pd.concat([hourly("A"), hourly("B")]), as_of="2019-07-01") == []
    ended = pd.concat([hourly("A"), hourly("B").iloc[: 168 * 2]])
    assert late_told(ended, as_of="2019-07-01") == []


# --- the text


HOSTILE = ["<script>alert(1)</script>", "=cmd()", "a|b", "`tick", "@team", "[x](http://evil)"]


def tokens(markdown: str) -> list:
    found = []
    for block in MarkdownIt("commonmark", {"html": True}).enable("table").parse(markdown):
        found += [block, *(block.children or [])]
    return found


def hostile(week: Week) -> Week:
    """Names from data and from people that try to be more than names."""
    book = replace(week.seal.account, positions=tuple(position(name) for name in HOSTILE))
    events = [
        {"kind": "retired", "recipe": "<b>r9</b>", "text": "<img src=x onerror=alert(1)> | [x](javascript:alert(1))"},
        {"kind": "drift", "recipe": "r1", "text": "candidates with pattern <script>alert(2)</script> have won less",
         "stream": "pattern <script>", "date": LAST, "since": LAST},
    ]  # fmt: skip
    decision = {"action": "pin", "recipe": "r1", "reason": "</p><script>alert(3)</script> @everyone"}
    return with_seal(week, account=book, head={"events": events, "decision": decision, "market": "<i>market</i>|x"})


def test_names_from_data_are_inert(week) -> None:
    text = summary_text(hostile(week), gather_facts(hostile(week)))
    found = tokens(text)
    kinds = {token.type for token in found}
    assert not {"html_inline", "html_block", "image"} & kinds
    links = {token.attrGet("href") for token in found if token.type == "link_open"}
    known = {"index.html", "../index.html", "learning_review.html", "outcome_analysis.html"}
    assert links == known | {f"{stage}.html" for stage in REPORTS}
    spans = [token.content for token in found if token.type == "code_inline"]
    assert [name for name in HOSTILE if name not in spans] == []
    shown = "".join(token.content for token in found if token.type in ("text", "text_special"))
    assert "<script>alert(2)</script>" in shown
    assert "@everyone" not in shown


def test_the_whole_text_has_its_parts_in_order_and_the_same_bytes_again(week) -> None:
    text = summary_text(week, gather_facts(week, trial_weeks=26))
    assert text == summary_text(week, gather_facts(Week(week.run, week.paths), trial_weeks=26))
    heads = [line for line in text.splitlines() if line.startswith("#")]
    assert heads == [
        "# Keep r1: r3 has not shown enough yet", "## For the reviewer", "## In numbers", "## Open positions",
        "## What changed since last week", "## Does learning pay?", "## Settings that changed", "## Reports",
    ]  # fmt: skip
    assert "\n\nNo alarm.\n" in text
    assert "\n\n\n" not in text
    found = tokens(text)
    assert sum(token.type == "table_open" for token in found) == 1 + bool(week.seal.account.positions)


def test_the_checklist_holds_what_applies(week) -> None:
    def items(action: str, **changes: object) -> list[str]:
        changed = with_seal(week, head={"decision": week.seal.head["decision"] | {"action": action}, **changes})
        return checklist(changed, gather_facts(changed))

    standing = checklist(week, replace(gather_facts(week), gaps=[], positions=[]))
    assert len(standing) == 3
    waiting = items("recommend")
    assert any("edgebook approve" in item for item in waiting)
    alarm = {"kind": "drift", "recipe": "r1", "text": "x", "stream": "trades"}
    assert any("alarms" in item for item in items("keep", events=[alarm]))
    gaps = replace(gather_facts(week), gaps=[Gap("A|B", "1h", 3, 168)])
    assert any("`A|B` `1h` 3 of 168" in item for item in checklist(week, gaps))
