"""Timeframes: what lengths of bars there are."""

TIMEFRAMES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30, "1h": 60, "4h": 240, "1d": 1440}
"""Length of a bar of each timeframe, in minutes, the finest first. Any of them may be traded, or only resampled."""
