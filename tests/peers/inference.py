"""Errors, bootstraps, corrections for many trials, folds and the forward filter: live peers, and plain loops."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from math import e, log, sqrt
from statistics import NormalDist
from unittest.mock import patch

import numpy as np
import pandas as pd

from edgebook.analyses.second_opinions import BLOCK_DAYS, newey_west, sharpe_difference
from edgebook.importance.importance_clusters import newey_west as newey_west_of_columns
from edgebook.regimes.regime_hmm import fits_of, fitted, hmm_features
from edgebook.regimes.regime_hmm_em import GaussianHmm, filtered, smoothed
from edgebook.sources.sources import load_bars
from edgebook.statistics import drawdowns, folds
from edgebook.statistics.deflated import deflated_sharpe, overfitting, sharpe_ratio
from edgebook.statistics.intervals import student
from edgebook.statistics.ratios import daily_ratio_interval, ratio_influence
from edgebook.tuning.tuning_spa import superior_trials
from peers import cases
from peers.compared import EXACT, Compared, installed_version, largest, recorded_version
from peers.figures import theirs

PLAIN = ("plain loops", "in the test")
REDRAWN = 100
REPETITIONS = 1000
WIDENED = "never below the error without lags here; a negative sum of covariances is kept there"
TIES = "a rank at the median counts half here, nothing there; ours counts nothing there too"
NEWER = (
    "one call of the peer follows a later paper (2025), with moments by n - 1; "
    "its parts, put together as in 2014 on the sample's moments, are compared"
)
DRAWS = "each draws its own blocks: allowed are four standard errors of the simulation"


def compare_inference() -> list[Compared]:
    """Every comparison of this module."""
    return [
        *_errors(), _redrawn(), _sharpe_difference(), *_superior(), *_deflated(), *_overfitting(), *_folds(), *_filter()
    ]  # fmt: skip


def _hac(values: np.ndarray, *, lags: int, corrected: bool) -> float:
    """Newey and West's error of a mean, by statsmodels."""
    from statsmodels.api import OLS

    how = {"maxlags": lags, "use_correction": corrected}
    return float(OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds=how).bse[0])


def _errors() -> list[Compared]:
    peer = ("statsmodels", installed_version("statsmodels"))
    returns = cases.daily_cases()
    year = np.sqrt(cases.YEAR)
    ours, hac, plain = [], [], []
    for case in returns:
        one = returns[case].dropna().to_numpy()
        lags = int(4 * (len(one) / 100) ** (2 / 9))
        for target in (None, 0.0):
            found = daily_ratio_interval(one, periods_per_year=cases.YEAR, target=target)
            ours.append((found.high - found.low) / 2)
            influence = ratio_influence(one, target=target)[1]
            scale = student(len(one) - 1) * year
            hac.append(_hac(influence, lags=lags, corrected=True) * scale)
            plain.append(_hac(influence, lags=0, corrected=True) * scale)
    wider = np.array(plain) > np.array(hac)
    rows = [
        Compared(
            "half width of the interval of the Sharpe and the Sortino ratio", "ratios.daily_ratio_interval", *peer,
            len(ours), largest(ours, np.maximum(hac, plain)), EXACT, WIDENED, int(wider.sum()),
            largest(np.array(ours)[wider], np.array(hac)[wider]),
        )
    ]  # fmt: skip
    gaps = [returns[a].dropna().to_numpy() - returns[b].dropna().to_numpy() for a, b in combinations(_whole(), 2)]
    gaps = [gap - gap.mean() for gap in gaps]
    own = [newey_west(gap) for gap in gaps]
    asked = [_hac(gap, lags=BLOCK_DAYS - 1, corrected=False) for gap in gaps]
    rows.append(
        Compared("HAC error of a difference of daily returns", "second_opinions.newey_west", *peer, len(gaps),
                 largest(own, asked), EXACT)
    )  # fmt: skip
    matrix = cases.trials().to_numpy()
    own = newey_west_of_columns(matrix, lags=17)[1]
    asked = [_hac(column, lags=17, corrected=False) for column in matrix.T]
    rows.append(
        Compared("HAC error of the mean of each trial", "importance_clusters.newey_west", *peer, matrix.shape[1],
                 largest(own, asked), EXACT)
    )  # fmt: skip
    return rows


def _whole() -> list[str]:
    """Cases of all days."""
    return [case for case in cases.daily_cases() if case.endswith(" all")]


def _redrawn() -> Compared:
    from arch.bootstrap import CircularBlockBootstrap

    ours, asked = [], []
    for case in _whole():
        one = cases.daily_cases()[case].dropna().to_numpy()
        for seed in range(REDRAWN):
            with patch.object(drawdowns, "DRAWS", 1):
                deepest, calmar = drawdowns.redrawn(one, periods_per_year=cases.YEAR, seed=seed)
            ours.append((deepest[0], calmar[0]))
            boot = CircularBlockBootstrap(drawdowns.BLOCK_DAYS, one, seed=np.random.default_rng(seed))
            (drawn,), _ = next(boot.bootstrap(1))
            growth = np.concatenate([[1.0], np.cumprod(1 + drawn)])
            sunk = max(1 - growth / np.maximum.accumulate(growth))
            asked.append((sunk, (growth[-1] ** (cases.YEAR / len(one)) - 1) / sunk))
    return Compared(
        "drawdown and Calmar ratio of days redrawn in circular blocks, draw by draw", "drawdowns.redrawn", "arch",
        installed_version("arch"), 2 * len(ours), largest(ours, asked), EXACT,
    )  # fmt: skip


def _sharpe_difference() -> Compared:
    """Ledoit and Wolf's p value with arch's blocks and plain loops."""
    from arch.bootstrap import CircularBlockBootstrap

    ours, asked = [], []
    for first, second in (("BTC all", "even all"), ("XRP all", "LTC all")):
        pair = cases.daily_cases()[[first, second]].dropna().to_numpy()
        pair = pair[: len(pair) // BLOCK_DAYS * BLOCK_DAYS]
        ours.append(sharpe_difference(pair, periods_per_year=cases.YEAR, seed=1, draws=REPETITIONS)[1])
        gap, pull = _ratio_gap(pair)
        error = _hac(pull, lags=BLOCK_DAYS - 1, corrected=False)
        beyond = 0
        boot = CircularBlockBootstrap(BLOCK_DAYS, pair, seed=np.random.default_rng(2))
        for (drawn,), _ in boot.bootstrap(REPETITIONS):
            own_gap, own_pull = _ratio_gap(drawn)
            sums = [sum(own_pull[k : k + BLOCK_DAYS]) for k in range(0, len(pair), BLOCK_DAYS)]
            own_error = sqrt(sum(x * x for x in sums)) / len(pair)
            beyond += abs(own_gap - gap) / own_error >= abs(gap) / error
        asked.append((beyond + 1) / (REPETITIONS + 1))
    return Compared(
        "p value of a difference of Sharpe ratios", "second_opinions.sharpe_difference", "arch",
        installed_version("arch"), len(ours), largest(ours, asked), _four_errors(asked), DRAWS,
    )  # fmt: skip


def _ratio_gap(pair: np.ndarray) -> tuple[float, np.ndarray]:
    """Difference of two Sharpe ratios and its influence values, by the delta method."""
    ratio = pair.mean(axis=0) / pair.std(axis=0, ddof=1)
    standard = (pair - pair.mean(axis=0)) / pair.std(axis=0, ddof=1)
    variance = (pair - pair.mean(axis=0)) ** 2 / pair.var(axis=0)
    influence = standard - ratio / 2 * (variance - 1)
    return float(ratio[0] - ratio[1]), influence[:, 0] - influence[:, 1]


def _four_errors(p: list[float]) -> float:
    """Four standard errors of the difference of two simulated shares."""
    return 4 * max(sqrt(2 * x * (1 - x) / REPETITIONS) for x in p)


def _superior() -> list[Compared]:
    """Hansen's test by hand, on a stationary bootstrap by hand; the draws themselves against arch."""
    from arch.bootstrap import StationaryBootstrap

    matrix = cases.trials().to_numpy()[-300:]
    ours, studentised, wrong = [], [], 0
    for default in (0, 11, 25):
        others = np.delete(matrix, default, axis=1)[:, ::3]
        found = superior_trials(others, default=matrix[:, default], seed=default, repetitions=REPETITIONS)
        ours.append((found.lower, found.consistent, found.upper))
        gains = np.unique(others - matrix[:, [default]], axis=1)
        draws = _stationary(len(gains), np.random.default_rng(default))
        boot = StationaryBootstrap(7, np.arange(len(gains)), seed=np.random.default_rng(default))
        asked = [drawn for (drawn,), _ in boot.bootstrap(REPETITIONS)]
        wrong += sum(int((one != other).sum()) for one, other in zip(draws, asked, strict=True))
        studentised.append(_hansen(gains, draws))
    on_arch = (PLAIN[0], f"on arch {installed_version('arch')}")
    return [
        Compared("days drawn otherwise by a stationary bootstrap", "tuning_spa.superior_trials", *on_arch,
                 3 * REPETITIONS * len(matrix), float(wrong), 0),
        Compared("the three p values of Hansen's test", "tuning_spa.superior_trials", *on_arch, 3 * len(ours),
                 largest(ours, studentised), 5.1e-5),
    ]  # fmt: skip


def _stationary(days: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Politis and Romano's draws: go on to the next day, or with probability 1/7 to any day."""
    draws = []
    for _ in range(REPETITIONS):
        anywhere, jump = rng.integers(days, size=days).tolist(), (rng.random(days) < 1 / 7).tolist()
        place, drawn = anywhere[0], []
        for at, leaves in zip(anywhere, jump, strict=True):
            place = at if leaves or not drawn else (place + 1) % days
            drawn.append(place)
        draws.append(np.array(drawn))
    return draws


def _hansen(gains: np.ndarray, draws: list[np.ndarray]) -> tuple[float, float, float]:
    """Hansen (2005), sections 2 and 3: lower, consistent and upper p value."""
    days, p = len(gains), 1 / 7
    mean = gains.mean(axis=0)
    centred = gains - mean
    variance = (centred**2).mean(axis=0)
    for lag in range(1, days):
        kernel = (days - lag) / days * (1 - p) ** lag + lag / days * (1 - p) ** (days - lag)
        variance = variance + 2 * kernel * (centred[lag:] * centred[:-lag]).sum(axis=0) / days
    scale = np.sqrt(variance)
    reached = max(mean / scale)
    shift = {
        "lower": np.maximum(mean, 0.0),
        "consistent": np.where(mean >= -np.sqrt(variance / days * 2 * log(log(days))), mean, 0.0),
        "upper": mean,
    }
    drawn = [gains[rows].mean(axis=0) for rows in draws]
    lower, consistent, upper = (
        sum(max((one - shift[name]) / scale) > reached for one in drawn) / len(draws) for name in shift
    )
    return lower, consistent, upper


COUNTS = (40, 39, 15, 8)


def _deflated() -> list[Compared]:
    matrix = cases.trials().to_numpy()
    names = [f"{count} trials" for count in COUNTS]
    peer = ("ml4t-diagnostic", recorded_version("ml4t-diagnostic"))
    found, plain = [], []
    for count in COUNTS:
        ratios = np.array([sharpe_ratio(column) for column in matrix[:, :count].T])
        best = matrix[:, int(ratios.argmax())]
        found.append(deflated_sharpe(best, sharpe_ratios=ratios))
        plain.append(_deflated_by_hand(best.tolist(), ratios.tolist()))
    probability = [one.probability for one in found]
    ours = "deflated.deflated_sharpe"
    benchmark = theirs(peer[0], "expected_maximum_sharpe").loc[names]
    by_2014, by_2025 = (
        theirs(peer[0], name).loc[names] for name in ("deflated_probability_2014", "deflated_probability")
    )
    return [
        Compared("Sharpe ratio expected of the best trial", "deflated.expected_maximum_sharpe", *peer, len(found),
                 largest([one.benchmark for one in found], benchmark), EXACT),
        Compared("deflated Sharpe ratio", ours, *peer, len(found), largest(probability, by_2014), EXACT, NEWER,
                 len(found), largest(probability, by_2025)),
        Compared("deflated Sharpe ratio", ours, *PLAIN, len(found), largest(probability, plain), EXACT),
    ]  # fmt: skip


def _deflated_by_hand(returns: list[float], ratios: list[float]) -> float:
    """Bailey and Lopez de Prado (2014), equations 1 and 2."""
    n, k, normal, gamma = len(returns), len(ratios), NormalDist(), 0.5772156649015329
    mean = sum(returns) / n
    moment = [sum((x - mean) ** power for x in returns) / n for power in (2, 3, 4)]
    sharpe = mean / sqrt(moment[0] * n / (n - 1))
    middle = sum(ratios) / k
    spread = sqrt(sum((x - middle) ** 2 for x in ratios) / (k - 1))
    best = spread * ((1 - gamma) * normal.inv_cdf(1 - 1 / k) + gamma * normal.inv_cdf(1 - 1 / (k * e)))
    skewness, kurtosis = moment[1] / moment[0] ** 1.5, moment[2] / moment[0] ** 2
    return normal.cdf((sharpe - best) * sqrt(n - 1) / sqrt(1 - skewness * sharpe + (kurtosis - 1) / 4 * sharpe**2))


def _overfitting() -> list[Compared]:
    matrix = cases.trials().to_numpy()
    peer = ("ml4t-diagnostic", recorded_version("ml4t-diagnostic"))
    found = [overfitting(matrix[:, :count], blocks=8) for count in COUNTS]
    share = [one.probability for one in found]
    strict = [float((one.logits < 0).mean()) for one in found]
    asked = theirs(peer[0], "overfitting").loc[[f"{count} trials" for count in COUNTS]]
    tied = [i for i, one in enumerate(found) if (one.logits == 0).any()]
    plain = [_logits_by_hand(matrix[:, :count].T.tolist(), blocks=6) for count in COUNTS]
    ours = [overfitting(matrix[:, :count], blocks=6).logits for count in COUNTS]
    name = "probability of overfitting, 70 ways to halve the days"
    return [
        Compared(name, "deflated.overfitting", *peer, len(found), largest(strict, asked), EXACT, TIES, len(tied),
                 largest(np.array(share)[tied], asked.to_numpy()[tied])),
        Compared("logit of the best trial's rank, 20 ways to halve the days", "deflated.overfitting", *PLAIN,
                 sum(map(len, plain)), largest(np.concatenate(ours), np.concatenate(plain)), 2e-6),
    ]  # fmt: skip


def _logits_by_hand(trials: list[list[float]], *, blocks: int) -> list[float]:
    """Bailey, Borwein, Lopez de Prado and Zhu (2017), section 2, one way after the other."""
    cuts = np.array_split(np.arange(len(trials[0])), blocks)

    def ratio(trial: list[float], days: list[int]) -> float:
        mean = sum(trial[day] for day in days) / len(days)
        return mean / sqrt(sum((trial[day] - mean) ** 2 for day in days) / (len(days) - 1))

    found = []
    for chosen in combinations(range(blocks), blocks // 2):
        inside = [day for block in chosen for day in cuts[block].tolist()]
        outside = [day for block in range(blocks) if block not in chosen for day in cuts[block].tolist()]
        training, test = ([ratio(trial, days) for trial in trials] for days in (inside, outside))
        own = test[training.index(max(training))]
        relative = sum(x <= own for x in test) / (len(trials) + 1)
        found.append(log(relative / (1 - relative)))
    return found


def _folds() -> list[Compared]:
    """Training rows of purged folds over real labels, judged one row and one moment at a time."""
    rows = cases.outcome_cases().rows
    closed = rows[(rows["exit_reason"] != "open") & (rows["plan"] == cases.PLANS[2].name)]
    dates, known = closed["date"].reset_index(drop=True), closed["close_date"].reset_index(drop=True)
    start, end = (column.astype("int64").tolist() for column in (dates, known))
    results = []
    for embargo in (pd.Timedelta(0), pd.Timedelta("4h"), pd.Timedelta("30D")):
        gap = int(embargo / pd.Timedelta("1ms"))
        wrong = {"k_fold": 0, "walk_forward": 0}
        for name in wrong:
            for fold in getattr(folds, name)(dates, known, n_folds=6, embargo=embargo):
                test = set(fold.test.tolist())
                expected = []
                for row in range(len(start)):
                    if row in test:
                        continue
                    # The label is written over (date, known_at]; it must lie an embargo before every test decision,
                    # or be decided an embargo after every test outcome.
                    before = all(end[row] + gap <= start[other] for other in test)
                    after = all(start[row] >= end[other] + gap for other in test)
                    if before or (after and name == "k_fold"):
                        expected.append(row)
                wrong[name] += len(set(expected) ^ set(fold.train.tolist()))
        results.append(wrong)
    return [
        Compared(f"rows that a purged fold should not hold, or lacks ({name})", f"folds.{name}", *PLAIN,
                 3 * 6 * len(start), float(sum(wrong[name] for wrong in results)), 0)
        for name in ("k_fold", "walk_forward")
    ]  # fmt: skip


def _real_model() -> tuple[np.ndarray, GaussianHmm]:
    """The last fit of four-hourly Bitcoin, and the rows that it sees and labels."""
    bars = load_bars(source="crypto", timeframes=["4h"], as_of=cases.AS_OF)
    close = bars.loc[bars["pair"] == "BTC/USD", "close"].to_numpy()
    features = hmm_features(close, trend_bars=72, volatility_bars=24)
    block = np.arange(len(close)) // 500
    return fitted(features, fits_of(features, block, window=1000)[-1])


def _filter() -> list[Compared]:
    from hmmlearn.hmm import GaussianHMM

    rows, model = _real_model()
    peer = GaussianHMM(n_components=len(model.start), covariance_type="diag", implementation="log")
    peer.startprob_, peer.transmat_ = (
        model.start / model.start.sum(),
        model.move / model.move.sum(axis=1, keepdims=True),
    )
    peer.means_, peer.covars_ = model.mean, model.variance
    exact = GaussianHmm(peer.startprob_, peer.transmat_, model.mean, model.variance)
    known = filtered(rows, exact)
    ends = np.unique(np.linspace(1, len(rows), 120).astype(int))
    asked = np.array([peer.predict_proba(rows[:end])[-1] for end in ends])
    who = ("hmmlearn", installed_version("hmmlearn"))
    short = rows[:7]
    by_hand = [_over_all_paths(short[: end + 1], exact) for end in range(len(short))]
    return [
        Compared("filtered probability of a state", "regime_hmm_em.filtered", *who, asked.size,
                 largest(known[ends - 1], asked), EXACT),
        Compared("smoothed probability of a state", "regime_hmm_em.smoothed", *who, rows.shape[0] * len(model.start),
                 largest(smoothed(rows, exact), peer.predict_proba(rows)), EXACT),
        Compared("filtered probability of a state, a sum over every path", "regime_hmm_em.filtered", *PLAIN,
                 len(short) * len(model.start), largest(filtered(short, exact), by_hand), EXACT),
    ]  # fmt: skip


def _over_all_paths(rows: np.ndarray, model: GaussianHmm) -> np.ndarray:
    """P(state of the last row | rows), path by path: Bayes' rule and nothing else."""
    states = len(model.start)
    density = [
        [float(np.prod(np.exp(-0.5 * (row - m) ** 2 / v) / np.sqrt(2 * np.pi * v)))
         for m, v in zip(model.mean, model.variance, strict=True)]
        for row in rows
    ]  # fmt: skip
    start, move = model.start.tolist(), model.move.tolist()
    weight = np.zeros(states)
    for path in product(range(states), repeat=len(rows)):
        chance = start[path[0]]
        for before, after in pairwise(path):
            chance *= move[before][after]
        for row, state in zip(density, path, strict=True):
            chance *= row[state]
        weight[path[-1]] += chance
    return np.asarray(weight / weight.sum())
