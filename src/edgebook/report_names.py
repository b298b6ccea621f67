"""The notebook reports of a week, by name."""

from __future__ import annotations

REPORTS = {
    "outcome_analysis": "Outcome analysis",
    "learning_review": "Learning review",
    "ab_test": "A/B test",
    "regime_segmentation": "Regimes",
    "feature_importance": "Feature importance",
    "bayesian_tuning": "Bayesian tuning",
}
"""The notebook stages, by title, in the order in which an analyst reads them."""
