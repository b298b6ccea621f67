"""Ask the peers again: `python tests/peers/record.py` (or `make peers`) renews the answers and docs/evidence/peers.md.

With ``--page`` only the page and its JSON are renewed, from the answers as they stand; no peer is needed for that.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from peers import cases  # noqa: E402

PEERS = HERE.parents[1] / ".venv-peers" / "bin" / "python"


def write_questions(folder: Path) -> None:
    """Bars, candidates, daily returns, trades and trials, each float with all its digits."""
    found = cases.outcome_cases()
    limits = {plan.name: plan.time_limit_bars for plan in cases.PLANS}
    columns = [*cases.KEY, "take_profit_abs", "stop_loss_abs", "decision", "last"]
    found.rows[columns].assign(limit=found.rows["plan"].map(limits)).to_csv(folder / "candidates.csv", index=False)
    found.bars[["open", "high", "low", "close"]].to_csv(folder / "bars.csv", index=False)
    cases.daily_cases().to_csv(folder / "daily.csv")
    pd.DataFrame(cases.trade_cases()).to_csv(folder / "trades.csv")
    cases.trials().to_csv(folder / "trials.csv")


def main(arguments: list[str]) -> None:
    """Record, then write the page."""
    if arguments != ["--page"]:
        with tempfile.TemporaryDirectory() as scratch:
            write_questions(Path(scratch))
            subprocess.run([PEERS, HERE / "answers.py", scratch, HERE], check=True)
    from peers import page

    page.write(HERE.parents[1] / "docs" / "evidence")


if __name__ == "__main__":
    main(sys.argv[1:])
