"""What the reports say, as frames: outcomes, learning, the A/B test, goals, the account."""
