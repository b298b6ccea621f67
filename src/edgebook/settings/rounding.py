"""Rounding of sums, so that the order in which they were added, in which processors differ, does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

OFF_GRID = 3.7e-11
"""Above the noise of a sum (some 1e-13), below half a step of the grid on which sums of rounded numbers lie."""


def rounded(values: ArrayLike, digits: int) -> NDArray[np.float64]:
    """Round, with what lies exactly halfway always going up; minus zero becomes zero.

    Parameters
    ----------
    values : array_like of float64
    digits : int

    Notes
    -----
    What is summed has been rounded before, so that a sum lies on a grid, and one in some thousand lies exactly between
    two rounded numbers. There the last bit of the sum, which the order of addition decides, would decide the digit.

    Examples
    --------
    >>> rounded([0.14945 - 3e-17, 0.14945 + 3e-17, -1e-9], 4).tolist()
    [0.1495, 0.1495, 0.0]
    """
    return np.asarray(np.round(np.asarray(values) + OFF_GRID, digits) + 0.0)
