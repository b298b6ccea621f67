"""Counts and means over runs of the loop, each run one observation, with intervals that hold for few of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from edgebook.evidence.known_truth import counted
from edgebook.statistics.intervals import student

if TYPE_CHECKING:
    from collections.abc import Sequence

GATE = "the gate"
RESAMPLES = 2000
DIGITS = 6
ONE_SIDED = 0.95
QUARTERS = {"first_quarter": 0.25, "median": 0.5, "third_quarter": 0.75}


def share(hits: Sequence[bool]) -> dict[str, Any]:
    """Count, k of n, with the exact two-sided 95 % interval and `upper`, the exact one-sided 95 % limit.

    Examples
    --------
    >>> share([False] * 58)["upper"]  # 1 - 0.05 ** (1 / 58)
    0.050339
    """
    found: dict[str, Any] = counted(hits) if len(hits) else {"k": 0, "n": 0, "low": 0.0, "high": 1.0}
    return found | {"upper": round(upper_limit(found["k"], found["n"]), 6)}


def upper_limit(count: int, n: int) -> float:
    """Exact one-sided 95 % upper limit of a rate (Clopper and Pearson 1934).

    Examples
    --------
    >>> round(upper_limit(0, 100), 4)  # 1 - 0.05 ** (1 / 100)
    0.0295
    """
    from scipy.stats import beta

    return 1.0 if count >= n else float(beta.ppf(ONE_SIDED, count + 1, n - count))


def most_allowed(n: int, *, rate: float) -> int:
    """Largest count of n that a true rate leaves within its central 95 %.

    Examples
    --------
    >>> most_allowed(67, rate=0.05)
    7
    """
    from scipy.stats import binom

    return int(binom.ppf(0.975, n, rate))


def mean_over(values: Sequence[float]) -> dict[str, Any]:
    """Mean over runs with Student's 95 % interval; ends are None with fewer than two, all None without any.

    Examples
    --------
    >>> mean_over([1.0, 3.0])
    {'n': 2, 'mean': 2.0, 'low': -10.706205, 'high': 14.706205}
    """
    n = len(values)
    if n == 0:
        return {"n": 0, "mean": None, "low": None, "high": None}
    mean = float(np.mean(values))
    if n == 1:
        return {"n": 1, "mean": mean, "low": None, "high": None}
    half = float(student(n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return {"n": n, "mean": mean, "low": round(mean - half, 6), "high": round(mean + half, 6)}


def ratio_over(part: Sequence[float], whole: Sequence[float]) -> dict[str, Any]:
    """Share of two sums over runs with a 95 % interval from resampled runs; None where the whole is not above 0.

    Parameters
    ----------
    part, whole : sequence of float
        One each a run, in its order.
    """
    a, b = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    if len(a) == 0 or b.sum() <= 0:
        return {"n": len(a), "share": None, "low": None, "high": None}
    found: dict[str, Any] = {"n": len(a), "share": float(a.sum() / b.sum()), "low": None, "high": None}
    picks = np.random.default_rng(len(a)).integers(0, len(a), (RESAMPLES, len(a)))
    below = b[picks].sum(axis=1)
    if len(a) > 1 and (below > 0).all():
        low, high = np.quantile(a[picks].sum(axis=1) / below, (0.025, 0.975))
        found |= {"low": float(low), "high": float(high)}
    return found


def rate_a_year(count: int, *, years: float) -> dict[str, Any]:
    """Events a year with the exact 95 % interval of a Poisson count (Garwood 1936); None without time.

    Examples
    --------
    >>> rate_a_year(0, years=2.0)  # -log(0.025) / 2
    {'k': 0, 'years': 2.0, 'rate': 0.0, 'low': 0.0, 'high': 1.84444}
    """
    from scipy.stats import chi2

    if years <= 0:
        return {"k": count, "years": years, "rate": None, "low": None, "high": None}
    low = 0.0 if count == 0 else float(chi2.ppf(0.025, 2 * count)) / 2
    high = float(chi2.ppf(0.975, 2 * count + 2)) / 2
    ends = {"low": round(low / years, 6), "high": round(high / years, 6)}
    return {"k": count, "years": years, "rate": count / years} | ends


def weeks_until(weeks: Sequence[float | None]) -> dict[str, float | None]:
    """Weeks by which a quarter, a half and three quarters of all runs were there; None for "not in the year".

    Parameters
    ----------
    weeks : sequence of float or None
        One a run; None for never, which is later than any week.

    Examples
    --------
    >>> weeks_until([30, 10, None, 20])
    {'first_quarter': 10.0, 'median': 20.0, 'third_quarter': 30.0}
    """
    values = np.array([np.inf if week is None else week for week in weeks], dtype=np.float64)
    if not len(values):
        return dict.fromkeys(QUARTERS)
    found = {name: float(np.quantile(values, q, method="inverted_cdf")) for name, q in QUARTERS.items()}
    return {name: None if np.isinf(week) else week for name, week in found.items()}


def rounded(value: Any) -> Any:
    """Round all numbers to six digits, undefined ones to None, so that the file is the same on another processor.

    Examples
    --------
    >>> rounded({"gain": 1 / 3, "interval": (float("nan"), 2)})
    {'gain': 0.333333, 'interval': [None, 2]}
    """
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    if isinstance(value, float) or hasattr(value, "dtype"):
        number = value.item() if hasattr(value, "item") else value
        if isinstance(number, float):
            return round(number, DIGITS) + 0.0 if math.isfinite(number) else None
        return number
    return value
