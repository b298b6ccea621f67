"""The live system of `examples/` runs as its page says, and what docs/integration.md promises comes of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import yaml

from edgebook.analyses.outcome_recorded import gaps, recorded_of
from edgebook.loop.routing import route
from edgebook.outcomes.outcomes import KEY, as_known
from edgebook.outcomes.recorded import read_recorded, snapshots
from edgebook.paths import Paths, repository
from edgebook.running.champion import load_champion
from edgebook.seals.week import Week
from edgebook.settings.desk_outcomes import OURS
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain
from edgebook.settings.settings_yaml import read_mapping

pytestmark = pytest.mark.slow

ROOT = repository()
WEEK, FIRST, ROLLED_BACK = "2018-04-23", "2018-04-16", "2018-04-21T12:00:00Z"
PINNED = "r1-20180409@2018-04-09"
SLIPPAGE_BPS, EXPECTED_BPS, FEE = 10.0, 2.5, 0.00075
"""A side: of the example's broker, and of the model; both know the fee."""


@dataclass(frozen=True)
class Lived:
    """What the example left: its folder, what it printed, its own table of trades."""

    paths: Paths
    said: str
    trades: pd.DataFrame

    @property
    def week(self) -> Week:
        return Week(load_params(self.paths.params).run, self.paths)

    def outcomes(self) -> pd.DataFrame:
        """All versions of the desk's outcomes in the tables of the week."""
        every = [pd.read_parquet(file).assign(plan=file.stem) for file in sorted(self.paths.outcomes.glob("*.parquet"))]
        return pd.concat([one[one["source"] == "recorded"] for one in every], ignore_index=True)


@pytest.fixture(scope="module")
def lived(tmp_path_factory) -> Lived:
    """The example, run once as its page says, in a clone of its own."""
    root = tmp_path_factory.mktemp("desk") / "live"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    words = ["python", "examples/live_system.py", str(root)]
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    with contextlib.closing(sqlite3.connect(root / "desk.sqlite")) as base:
        trades = pd.read_sql("select * from signal_outcomes", base)
    return Lived(Paths(root), done.stdout, trades)


def test_day_and_week_run_when_their_time_has_come(lived):
    days = re.findall(r"edgebook daily --date (\S+)\n +live \1: ", lived.said)
    assert days == [f"2018-04-{day}" for day in (17, 18, 19, 20, 21, 22, 24)]
    assert re.findall(r"edgebook weekly\n +live (\S+) (\w+):", lived.said) == [(FIRST, "finished"), (WEEK, "sealed")]
    assert (lived.paths.report(as_of=WEEK) / "index.html").is_file()


def test_what_the_desk_wrote_is_what_was_recorded(lived):
    """Every trade that closed by the last snapshot, to the last digit that is written."""
    newest = read_recorded(lived.paths.recorded).drop_duplicates("signal_id", keep="last").set_index("signal_id")
    mine = lived.trades.set_index("signal_id")
    closed = mine[(mine["status"] == "closed") & (mine["recorded_at"] <= "2018-04-24T00:00:00Z")]
    assert len(closed) >= 10
    assert set(newest.index[newest["status"] == "closed"]) == set(closed.index)
    found = newest.loc[closed.index]
    assert (found["profit_ratio"] - closed["profit_ratio"]).abs().max() < 1e-9
    assert found["exit_reason"].tolist() == closed["exit_reason"].tolist()
    assert (newest["known_at"] >= newest["close_date"].fillna(newest["open_date"])).all()


def test_a_correction_is_one_more_version(lived):
    """The row of the day before stands, and each Monday reads what was known by then."""
    every = read_recorded(lived.paths.recorded)
    closed = every[every["status"] == "closed"]
    (name,) = closed["signal_id"][closed["signal_id"].duplicated()]
    first, second = closed[closed["signal_id"] == name].to_dict("records")
    assert (second["fee_close"], second["profit_ratio"]) == pytest.approx((0.0015, first["profit_ratio"] - 0.00075))
    assert first["snapshot"] < second["snapshot"] == pd.Timestamp("2018-04-20", tz="UTC")
    plans = [pd.read_parquet(file) for file in sorted(lived.paths.outcomes.glob("*.parquet"))]
    read = {}
    for day in ("2018-04-19", WEEK):
        known = pd.concat([as_known(plan, at=pd.Timestamp(day, tz="UTC")) for plan in plans])
        mine = known[(known["source"] == "recorded") & (known["close_date"] == first["close_date"])]
        read[day] = set(mine["profit_ratio"])
    assert round(first["profit_ratio"], 6) in read["2018-04-19"] - read[WEEK]
    assert round(second["profit_ratio"], 6) in read[WEEK] - read["2018-04-19"]


def test_a_trade_that_was_booked_late_is_known_from_when_it_came(lived):
    (row,) = read_recorded(lived.paths.recorded).query("signal_id == 'by hand 1'").to_dict("records")
    assert row["close_date"] < pd.Timestamp("2018-04-18", tz="UTC")
    assert row["known_at"] == pd.Timestamp("2018-04-20T12:00", tz="UTC")
    assert row["snapshot"] == pd.Timestamp("2018-04-21", tz="UTC")
    learned = lived.outcomes()
    assert (learned["known_at"] == row["known_at"]).sum() == 1


def test_snapshots_are_dated_by_the_days_of_the_replay_and_hold_news_alone(lived):
    dates = [date for date, _ in snapshots(lived.paths.recorded)]
    assert dates == sorted(dates)
    assert set(dates) <= {f"2018-04-{day}" for day in range(17, 25)}
    every = read_recorded(lived.paths.recorded)
    assert not every.drop(columns=["known_at", "snapshot", "before"]).duplicated().any()


def test_the_loop_learned_from_the_desk(lived):
    """All that closed by Monday joined, and the seal says that it read them."""
    mine = lived.trades[(lived.trades["status"] == "closed") & (lived.trades["recorded_at"] <= f"{WEEK}T00:00:00Z")]
    known = pd.concat([as_known(part.drop(columns="plan")) for _, part in lived.outcomes().groupby("plan")])
    assert len(known) == len(mine)
    assert sorted(known["profit_ratio"]) == pytest.approx(sorted(mine["profit_ratio"].round(6)), abs=2e-6)
    assert not known.duplicated(KEY).any()
    seal = lived.paths.seal(history="live", as_of=WEEK) / "seal.json"
    assert '"recorded"' in seal.read_text(encoding="utf-8")
    assert '"recorded"' not in (seal.parents[1] / FIRST / "seal.json").read_text(encoding="utf-8")


def test_the_gap_shows_what_the_broker_costs(lived):
    """Stop and target stand around the fill and move along with it: what is lost there is the exit's slippage alone."""
    settings = load_params(lived.paths.params)
    recorded = recorded_of(lived.week, outcomes=plain(settings.outcomes))
    assert recorded.unjoined.empty
    assert recorded.findings.empty
    exits = lived.trades.set_index("signal_id")[["exit_reason", "fee_close"]]
    pairs = recorded.pairs.join(exits, on="signal_id", how="inner")
    barrier = pairs[(pairs["exit_reason"] != "time_exit") & (pairs["fee_close"] == FEE)]
    assert len(barrier) >= 5
    assert 1e4 * barrier["side_ratio"].median() == pytest.approx((SLIPPAGE_BPS - 2 * EXPECTED_BPS) / 2, abs=0.5)
    assert (barrier["gap"] < 0).mean() > 0.7
    corrected = pairs[pairs["fee_close"] == 2 * FEE]["side_ratio"]
    assert (corrected - barrier["side_ratio"].median()).tolist() == pytest.approx([FEE / 2], abs=1e-4)
    (row,) = gaps(recorded).query("group == 'all'").to_dict("records")
    assert row["n"] == len(recorded.pairs)
    page = (lived.paths.report(as_of=WEEK) / "outcome_analysis.html").read_text(encoding="utf-8")
    assert "own fills" in page


def test_both_arms_were_traded_and_recorded(lived):
    """By the hash that docs/live.md gives, in the desk's books as in the account's."""
    routed = lived.trades[lived.trades["model_version"].notna() & (lived.trades["open_date"] < ROLLED_BACK)]
    assert set(routed["ab_test_version"]) == {"A:r1", "B:r3"}
    for name, version in zip(routed["signal_id"], routed["ab_test_version"], strict=True):
        assert version[0] == route(name, salt="example", share=0.5), name
    ledger = lived.week.ledger
    assert {"A:r1", "B:r3"} <= set(ledger["ab_test_version"])
    both = routed.merge(ledger, on="signal_id", suffixes=("", "_account"))
    assert len(both) >= 5
    assert both["ab_test_version"].tolist() == both["ab_test_version_account"].tolist()


def test_caps_are_kept(lived):
    rows = lived.trades[lived.trades["model_version"].notna()]
    for row in rows.to_dict("records"):
        held = rows[(rows["open_date"] <= row["open_date"]) & ~(rows["close_date"] <= row["open_date"])]
        assert len(held) <= 6
        assert not held.duplicated(["pair", "timeframe"]).any()


def test_a_rollback_holds_at_once_and_stays(lived):
    """The signals of the next bar are the pinned version's, and so is the champion of the week."""
    after = lived.trades[lived.trades["model_version"].notna() & (lived.trades["open_date"] >= ROLLED_BACK)]
    assert len(after) > 0
    assert set(after["model_version"]) <= {"r1@2018-04-09", PINNED}
    assert not after["ab_test_version"].str.startswith("B:").any()
    assert "rollback" in (lived.paths.seal(history="live", as_of=WEEK) / "seal.json").read_text(encoding="utf-8")
    assert load_champion(str(lived.paths.root)).version == PINNED
    assert load_params(lived.paths.params).learning.pins[0].reason == "spreads doubled on the venue"


def test_the_history_derives_again_to_the_same_bytes(lived):
    assert lived.said.rstrip().endswith("live: 4 weeks derived again, every byte the same")


def test_nothing_that_is_private_is_in_sight_of_git(lived):
    words = ["git", "status", "--porcelain", "--untracked-files=all"]
    seen = subprocess.run(words, cwd=lived.paths.root, check=True, capture_output=True, text=True).stdout
    assert not re.search(r"\.env|desk\.sqlite|data/daily|\.edgebook\.lock", seen)
    for name in ("reports", "models"):
        for file in (lived.paths.root / name).rglob("*2018-04-*/*"):
            assert not file.is_file() or b"desk.sqlite" not in file.read_bytes(), file


def test_settings_of_the_page_pass_the_check(tmp_path):
    """Laid over the repository's own params.yaml."""
    page = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    found = re.findall(r"^ *```yaml\n(.*?)^ *```$", page, flags=re.MULTILINE | re.DOTALL)
    assert len(found) == 2
    for text in found:
        whole = read_mapping(ROOT / "params.yaml")
        for section, changes in yaml.safe_load(textwrap.dedent(text)).items():
            whole[section] = {**whole[section], **changes}
        (tmp_path / "params.yaml").write_text(json.dumps(whole), encoding="utf-8")
        assert load_params(tmp_path / "params.yaml") != load_params(ROOT / "params.yaml")


def example_tables() -> str:
    """The statements with which the example makes its tables."""
    text = (ROOT / "examples" / "broker.py").read_text(encoding="utf-8")
    found = re.search(r'TABLES = """(.*?)"""', text, flags=re.DOTALL)
    assert found
    return found[1]


def test_the_schema_of_the_page_is_the_one_that_is_read():
    """Its statements run, its columns are known, and the example's are among them or its own."""
    page = (ROOT / "docs" / "integration.md").read_text(encoding="utf-8")
    statements = re.findall(r"```sql\n(create table.*?)```", page, flags=re.DOTALL)
    tables = []
    for text in (statements[0], example_tables()):
        with contextlib.closing(sqlite3.connect(":memory:")) as base:
            base.executescript(text)
            ask = "select name from pragma_table_info(?)"
            tables.append([[name for (name,) in base.execute(ask, [t])] for t in ("signal_outcomes", "tp_sl_hits")])
    (outcomes, hits), (own, own_hits) = tables
    assert set(outcomes) | set(hits) == set(OURS)
    assert set(own) - set(outcomes) == {"units", "risk", "leave_at", "ab_test_version", "model_version"}
    assert own_hits == hits
