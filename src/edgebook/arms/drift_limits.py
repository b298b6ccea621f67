"""The limit of a CUSUM, from a table that was simulated once: how often it is reached by a stream that has not drifted.

The simulated watch learns its scale as the real one does, so that what a wrong scale costs in false alarms is in the
limit. ``python benchmarks/drift_limits.py`` makes the table again.
"""

from __future__ import annotations

import numpy as np

WARMUP_WEEKS = 13
"""So long a watch learns the scale of its streams before it speaks."""
SCALE_HALF_LIFE_WEEKS = 52.0
INFORMATION = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Information a week, the rows of `LIMITS`."""
ALARMS_PER_YEAR = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003)
"""False alarms a year of one stream, the columns of `LIMITS`."""
LIMITS = (
    (0.33, 0.58, 1.00, 1.53, 2.21, 2.78, 3.39),  # 0.01
    (0.53, 0.93, 1.58, 2.34, 3.32, 4.17, 5.13),  # 0.03
    (0.90, 1.52, 2.45, 3.48, 4.73, 5.86, 7.19),  # 0.1
    (1.39, 2.25, 3.42, 4.65, 5.96, 7.23, 8.70),  # 0.3
    (2.08, 3.20, 4.58, 5.92, 7.34, 8.60, 9.99),  # 1
    (2.73, 4.05, 5.61, 7.06, 8.69, 10.17, 11.67),  # 3
    (3.18, 4.65, 6.47, 8.24, 10.30, 12.46, 14.93),  # 10
)
"""Limit on the log likelihood ratio."""
CHOSEN_LIMITS = (
    (0.34, 0.60, 1.05, 1.63, 2.38, 2.97, 3.62),  # 0.01
    (0.56, 0.98, 1.70, 2.59, 3.75, 4.69, 5.77),  # 0.03
    (0.95, 1.65, 2.76, 4.07, 5.70, 7.11, 8.74),  # 0.1
    (1.50, 2.52, 4.02, 5.65, 7.52, 9.26, 11.28),  # 0.3
    (2.26, 3.62, 5.39, 7.16, 9.05, 10.71, 12.67),  # 1
    (2.76, 4.22, 6.00, 7.68, 9.42, 11.05, 12.76),  # 3
    (2.43, 3.58, 4.97, 6.30, 7.86, 9.29, 11.08),  # 10
)
"""The same for streams that are chosen by their confidence: the choice prefers what was promised too much."""


def limit(information: float, *, alarms_per_year: float, chosen: bool = False) -> float:
    """Return the height of the CUSUM at which a stream gives an alarm.

    Parameters
    ----------
    information : float
        What a week tells of the smallest fall worth an alarm: squared fall x effective outcomes a week / variance of
        one of them. Beyond the table its nearest row holds.
    alarms_per_year : float
        False alarms a year that the stream is allowed. Rarer ones than the table has are extrapolated.

    chosen : bool
        Whether the stream holds what was chosen by its confidence.

    Returns
    -------
    float
        Of the log likelihood ratio, to two digits: the same on every processor.

    Notes
    -----
    Simulation only. For small information a CUSUM is close to a Brownian motion, whose mean time between alarms is
    ``2 (exp(h) - h - 1) / information`` weeks. Up to 0.3 the table is within 0.6 of that; it allows for a scale that
    is itself estimated, and for a promise that is too high by a tenth of the smallest fall, by a quarter for what is
    chosen.

    Examples
    --------
    >>> limit(0.3, alarms_per_year=0.1), limit(0.3, alarms_per_year=0.03)
    (4.65, 5.96)
    """
    table = np.array(CHOSEN_LIMITS if chosen else LIMITS)
    row = float(np.interp(np.log(information), np.log(INFORMATION), np.arange(len(INFORMATION))))
    below = min(int(row), len(INFORMATION) - 2)
    heights = table[below] + (row - below) * (table[below + 1] - table[below])
    rarity = -np.log(ALARMS_PER_YEAR)
    wanted = -np.log(alarms_per_year)
    height = float(np.interp(wanted, rarity, heights))
    if wanted > rarity[-1]:
        height += float((wanted - rarity[-1]) * (heights[-1] - heights[-2]) / (rarity[-1] - rarity[-2]))
    return round(height, 2)
