"""Let freqtrade trade again: `python tests/peers/desk/record.py` (or `make freqtrade-fixtures`) renews what lies here.

The candles are those of the tests' small market, whose 4-hour bars it shares bit by bit.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from edgebook.bars.synthetic import make_market  # noqa: E402
from small_market import GENESIS  # noqa: E402

FREQTRADE = HERE.parents[2] / ".venv-freqtrade" / "bin" / "python"
MADE = ("tradesv3.sqlite", "backtest-result-desk.zip")


def write_candles(file: Path) -> None:
    """Candles of an hour, which orders are filled by, and of four, which the strategy reads."""
    bars = make_market(
        kind="planted", pairs=2, weeks=24, seed=5, heads=("D", "F", "H"), edge=0.15, edge_starts=GENESIS,
        start="2018-01-01", timeframes=("1h", "4h"),
    ).bars  # fmt: skip
    bars.to_csv(file, index=False)


def main() -> None:
    """Trade, and keep what freqtrade left."""
    with tempfile.TemporaryDirectory() as scratch:
        write_candles(Path(scratch) / "candles.csv")
        subprocess.run([FREQTRADE, HERE / "replay.py", Path(scratch) / "candles.csv", scratch], check=True)
        for name in MADE:
            shutil.copy(Path(scratch) / name, HERE / name)


if __name__ == "__main__":
    main()
