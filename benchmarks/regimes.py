"""Regimes: milliseconds per 1,000 bars, by the rule and by the hidden Markov model, over the crypto market.

    .venv/bin/python benchmarks/regimes.py

- rule: `segment`, tables in and out.
- hidden Markov: `segment_hmm`, every fit included. Its fits and its forward pass alone, too.
- plain: one step of the fit and the forward pass of `regime_hmm_plain`, beside the compiled ones.
- newest: the label of one newest bar, as a live system asks for it.

Each figure is the best of the repeats, for other work on the machine only ever slows a run.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from edgebook.paths import Paths
from edgebook.regimes.regime_hmm import hmm_features, hmm_settings, rule_settings, segment_hmm, start_values
from edgebook.regimes.regime_hmm_em import filtered, fit_hmm
from edgebook.regimes.regime_hmm_newest import newest_hmm_regime
from edgebook.regimes.regime_hmm_plain import filtered_plain, step_plain
from edgebook.regimes.regimes import segment
from edgebook.settings.loading import load_params
from edgebook.settings.params import plain
from edgebook.sources.sources import load_bars

REPEATS = 5


def seconds(call):
    """Best wall time of a call."""
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def main():
    """Print the table."""
    params = load_params(Paths.at(".").params)
    settings = plain(params.regimes)
    bars = load_bars(source="crypto", timeframes=("1h", "4h"), as_of="2019-07-01")
    print(f"{len(bars):,} bars")
    for name, call in (
        ("rule", lambda: segment(bars, **rule_settings(settings))),
        ("hidden Markov", lambda: segment_hmm(bars, **hmm_settings(settings))),
    ):
        took = seconds(call)
        print(f"{name:16} {1e6 * took / len(bars):8.2f} ms per 1,000 bars {took:8.2f} s in all")
    first = bars[(bars["pair"] == bars["pair"].iloc[0]) & (bars["timeframe"] == "1h")]
    close, closed_ms = first["close"].to_numpy(), pd.DatetimeIndex(first["date"]).as_unit("ms").asi8
    window = settings["hmm_window_bars"]
    features = hmm_features(
        close[-window - settings["trend_bars"] :],
        trend_bars=settings["trend_bars"],
        volatility_bars=settings["volatility_bars"],
    )[-window:]
    rows = (features - features.mean(axis=0)) / features.std(axis=0)
    model = fit_hmm(rows, start_values(rows))
    start = start_values(rows)
    for name, call in (
        (f"fit, {model.iterations} steps", lambda: fit_hmm(rows, start)),
        ("forward", lambda: filtered(rows, model)),
        ("one step, compiled", lambda: fit_hmm(rows, start, iterations=1)),
        ("one step, plain", lambda: step_plain(rows, start)),
        ("forward, plain", lambda: filtered_plain(rows, model)),
    ):
        took = seconds(call)
        print(f"{name:20} {1e6 * took / len(rows):8.2f} ms per 1,000 bars {1e3 * took:8.1f} ms for {len(rows):,}")
    np.testing.assert_allclose(filtered(rows, model), filtered_plain(rows, model), atol=1e-9)
    took = seconds(lambda: newest_hmm_regime(close, closed_ms, whole=True, **hmm_settings(settings)))
    print(f"{'newest bar':20} {1e3 * took:8.1f} ms from {len(close):,} bars")


if __name__ == "__main__":
    main()
