"""The model's label of the newest bar alone, from as many bars as decide it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edgebook.regimes.regime_hmm import by_regime, fit_blocks, fits_of, fitted, held_labels, hmm_features
from edgebook.regimes.regime_hmm_em import filtered
from edgebook.regimes.regimes_kernels import RANGING, REGIMES

if TYPE_CHECKING:
    from numpy.typing import NDArray


def newest_hmm_regime(
    close: NDArray[np.float64],
    closed_ms: NDArray[np.int64],
    *,
    whole: bool,
    trend_bars: int,
    volatility_bars: int,
    hmm_window_bars: int,
    hmm_refit_weeks: int,
    hmm_switch_margin: float,
) -> int | None:
    """Label of the newest bar of one series, from its last bars; settings as in `segment_hmm`.

    Parameters
    ----------
    close : ndarray of float64, shape (n,)
        Closes, oldest first.
    closed_ms : ndarray of int64, shape (n,)
        When each bar closed, milliseconds UTC.
    whole : bool
        The first close is the first of the series; else it is any.

    Returns
    -------
    int or None
        Position in `REGIMES`: that which `segment_hmm` gives on all bars. None where the bars are too few to know it;
        the window, the longer feature and the weeks since the last fit are enough.

    Notes
    -----
    The fit in force is made again (about 20 ms for 4,320 bars); the label before it is any of the four, and where all
    of them have come to the same label, what lay before cannot matter. Where they have not, the fit before is asked.
    """
    features = hmm_features(close, trend_bars=trend_bars, volatility_bars=volatility_bars)
    known = np.flatnonzero(np.isfinite(features).all(axis=1))
    fits = fits_of(features, fit_blocks(closed_ms, hmm_refit_weeks=hmm_refit_weeks), window=hmm_window_bars)
    if not whole:
        fits = [fit for fit in fits if fit[1] - hmm_window_bars >= known[0]]
    elif not fits:
        return RANGING
    probability = np.empty((0, len(REGIMES)))
    for fit in reversed(fits):
        rows, model = fitted(features, fit)
        probability = np.concatenate([by_regime(filtered(rows, model), model)[fit[1] - fit[0] :], probability])
        before = (RANGING,) if whole and fit is fits[0] else range(len(REGIMES))
        labels = {int(held_labels(probability, hmm_switch_margin, held)[-1]) for held in before}
        if len(labels) == 1:
            return labels.pop()
    return None
