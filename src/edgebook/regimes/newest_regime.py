"""The regime of the newest bar alone, from as many bars as decide it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from edgebook.regimes.regimes_kernels import (
    RANGING,
    REGIMES,
    labels_from,
    root_mean_squares,
    trailing_ranks,
    trend_scores,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


def newest_regime(
    close: NDArray[np.float64],
    *,
    whole: bool,
    trend_bars: int,
    trend_z_enter: float,
    trend_z_exit: float,
    volatility_bars: int,
    volatility_window_bars: int,
    volatility_enter: float,
    volatility_exit: float,
    min_bars: int,
) -> int | None:
    """Label of the newest bar of one series, from its last bars; settings as in `segment`.

    Parameters
    ----------
    close : ndarray of float64, shape (n,)
        Closes, oldest first.
    whole : bool
        The first close is the first of the series; else it is any.

    Returns
    -------
    int or None
        Position in `REGIMES`: that which `segment` gives on all bars. None where the bars are too few to know it.

    Notes
    -----
    The label is a recursion from the first bar, but what it remembers is one of a few states. From the bar on at which
    both numbers are those of the whole series the label is carried on from every state there is; where all of them
    have come to the same label, what lay before cannot matter.
    """
    returns = np.round(np.diff(np.log(close), prepend=np.nan), 10)
    trend_z = np.round(trend_scores(returns, trend_bars), 5)
    quantile = np.round(
        trailing_ranks(np.round(root_mean_squares(returns, volatility_bars), 10), volatility_window_bars), 5
    )
    bounds = (trend_z_enter, trend_z_exit, volatility_enter, volatility_exit, min_bars)
    if whole:
        return int(labels_from(trend_z, quantile, *bounds, (0, 0, RANGING, min_bars))[-1])
    exact = max(trend_bars, volatility_bars + volatility_window_bars - 1)
    if close.size <= exact:
        return None
    states = product((-1, 0, 1), (0, 1), range(len(REGIMES)), range(1, min_bars + 1))
    labels = {int(labels_from(trend_z[exact:], quantile[exact:], *bounds, state)[-1]) for state in states}
    return labels.pop() if len(labels) == 1 else None
