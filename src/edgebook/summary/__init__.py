"""The week in words and numbers: summary.md and metrics.json."""
