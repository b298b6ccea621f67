"""How much each setting of a study matters: its share of the variance, beside what chance gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.tuning.tuning_space import SELECTION

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from edgebook.tuning.tuning_space import Space

DIGITS = 6
PERMUTATIONS = 999


def importance(trials: pd.DataFrame, *, space: Space, seed: int) -> list[dict[str, Any]]:
    """Share of the objective's variance that lies between the levels of each setting.

    Parameters
    ----------
    trials : DataFrame
        The pre-registered ones: an adaptive sampler tries good levels more often, and so distorts the shares.
    space : Space
    seed : int
        Of the permutations.

    Returns
    -------
    list of mapping
        setting, levels, share, null (the share that 95 % of permuted settings stay below), p_value; by share.

    Notes
    -----
    Correlation ratio; levels are permuted as they were drawn, those of the heads by pairs of trials.
    """
    values = trials["value"].to_numpy(np.float64)
    rng = np.random.default_rng([seed, 1])
    rows = []
    for name, levels in space.levels.items():
        if len(levels) < 2 or len(trials) < 4:
            continue
        group = 1 if name in SELECTION else 2
        codes = np.searchsorted(np.array(levels), trials[name].to_numpy(np.float64))
        drawn = np.array([np.repeat(rng.permutation(codes[::group]), group)[: len(codes)] for _ in range(PERMUTATIONS)])
        share, null = _between(codes[None, :], values, levels=len(levels)), _between(drawn, values, levels=len(levels))
        rows.append(
            {
                "setting": name,
                "levels": len(levels),
                "share": round(float(share[0]), DIGITS),
                "null": round(float(np.quantile(null, 0.95)), DIGITS),
                "p_value": round((1 + int((null >= share[0] - 1e-9).sum())) / (1 + PERMUTATIONS), DIGITS),
            }
        )
    return sorted(rows, key=lambda row: (-row["share"], row["setting"]))


def _between(codes: NDArray[np.int64], values: NDArray[np.float64], *, levels: int) -> NDArray[np.float64]:
    """Share of the variance between levels, for each row of codes, shape (rows, n)."""
    centred = values - values.mean()
    total = float((centred**2).sum())
    if total <= 1e-12:
        return np.zeros(len(codes))
    shares = np.zeros(len(codes))
    for level in range(levels):
        here = codes == level
        count = here.sum(axis=1)
        shares += (here @ centred) ** 2 / np.maximum(count, 1)
    return np.asarray(shares / total)
