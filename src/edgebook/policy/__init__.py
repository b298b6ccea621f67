"""From votes to a signal: heads, weights, calibration and thresholds, learned from outcomes that are known."""
