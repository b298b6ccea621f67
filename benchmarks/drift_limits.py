"""Simulate the limits of the drift watch: the table of `edgebook.arms.drift_limits`.

    .venv/bin/python benchmarks/drift_limits.py

Put what it prints in place of `LIMITS` and `CHOSEN_LIMITS`. The watch is simulated as it is, its scale learned as it
goes, on a stream without drift: daily sums with the tails of Student's t (5 degrees of freedom), an autocorrelation of
0.1, and a mean that lies a tenth of the smallest fall below the promise, a quarter for what its confidence has chosen,
since the choice prefers what was promised too much. That is about what the streams of the samples have. Alarms are
counted over five years from the week in which the watch begins to speak; a limit is read off between heights by the
logarithm of the rate, and beyond the last height with twenty alarms by its last slope.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from edgebook.arms.drift_limits import ALARMS_PER_YEAR, INFORMATION, SCALE_HALF_LIFE_WEEKS, WARMUP_WEEKS

RUNS, YEARS, SEED = 6000, 5, 20260
MEMORY, OVERPROMISE = 0.1, {"LIMITS": 0.1, "CHOSEN_LIMITS": 0.25}
HEIGHTS = np.arange(0.25, 14, 0.25)
FEWEST = 20


@njit(cache=True, nogil=True)
def alarms(
    days: np.ndarray, information: float, heights: np.ndarray, warmup: int, keep: float, overpromise: float
) -> np.ndarray:
    """Alarms of one stream of standardised days under each limit."""
    fall = np.sqrt(information / 7)
    level = np.zeros(len(heights))
    count = np.zeros(len(heights), np.int64)
    by_day = by_block = weeks = last = 0.0
    for week in range(len(days) // 7):
        scale = max(by_day, by_block) / max(7 * weeks, 1e-9)
        total = 0.0
        by_day, by_block, weeks = by_day * keep, by_block * keep, weeks * keep + 1.0
        for day in range(7):
            value = days[week * 7 + day] - overpromise * fall
            total += value
            by_day += value * value
            if week < warmup:
                continue
            step = fall / scale * (-value - fall / 2)
            for i in range(len(heights)):
                level[i] = max(0.0, level[i] + step)
                if level[i] >= heights[i]:
                    level[i] = 0.0
                    count[i] += 1
        by_block += (total + last) ** 2 / 2
        last = total
    return count


def main() -> None:
    """Print the tables, a row an amount of information."""
    rng = np.random.default_rng(SEED)
    weeks = WARMUP_WEEKS + 52 * YEARS
    shocks = rng.standard_t(5, (RUNS, weeks * 7)) / np.sqrt(5 / 3)
    days = np.empty_like(shocks)
    days[:, 0] = shocks[:, 0]
    for day in range(1, days.shape[1]):
        days[:, day] = MEMORY * days[:, day - 1] + np.sqrt(1 - MEMORY**2) * shocks[:, day]
    keep = 0.5 ** (1 / SCALE_HALF_LIFE_WEEKS)
    for table, overpromise in OVERPROMISE.items():
        print(f"{table} = (")
        for information in INFORMATION:
            count = np.zeros(len(HEIGHTS), np.int64)
            for run in days:
                count += alarms(run, information, HEIGHTS, WARMUP_WEEKS, keep, overpromise)
            seen = count >= FEWEST
            logs, heights = np.log(count[seen] / (RUNS * YEARS * 364 / 365.25)), HEIGHTS[seen]
            slope = (heights[-1] - heights[-5]) / (logs[-1] - logs[-5])
            wanted = np.log(ALARMS_PER_YEAR)
            limits = np.interp(-wanted, -logs, heights)
            limits = np.where(wanted < logs[-1], heights[-1] + slope * (wanted - logs[-1]), limits)
            print(f"    ({', '.join(f'{limit:.2f}' for limit in limits)}),  # {information:g}")
        print(")")


if __name__ == "__main__":
    main()
