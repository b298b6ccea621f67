"""The notebook reports of a week: this is the one list of them. `docs/howto/add-a-stage.md` adds a line to it."""

from __future__ import annotations

_LISTED = (
    # stage, title, the question that it answers
    ("outcome_analysis", "Outcome analysis", "What became of the signals: metrics, equity, what worked and what not."),
    ("tear_sheet", "Tear sheet", "What following the champion made, day by day: figures, months, drawdowns."),
    ("learning_review", "Learning review", "Whether the system has learned, and the scoreboard against the goals."),
    ("ab_test", "A/B test", "The decision and why: wealth against its bar, both books, second opinions."),
    ("regime_segmentation", "Regimes", "Which market it was: durations, transitions, performance by regime."),
    ("feature_importance", "Feature importance", "Which indicators matter, what is kept and what is dropped."),
    ("bayesian_tuning", "Bayesian tuning", "The search for a better recipe, its holdout, and what it proposes."),
)

REPORTS = {stage: title for stage, title, _ in _LISTED}
"""The notebook stages, by title, in the order in which an analyst reads them."""

QUESTIONS = {stage: question for stage, _, question in _LISTED}
"""What each report answers, in a line, for the index of the week."""
