"""Rates, ratios, drawdowns and their intervals; shrinkage, folds and calibration."""
