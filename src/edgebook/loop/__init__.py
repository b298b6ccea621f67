"""The loop itself: genesis, a week, decisions, a history, and its weeks derived again."""
