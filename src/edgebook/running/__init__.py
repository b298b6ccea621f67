"""The week and the day of an analyst: fetch, check, run the next week, follow it live, roll back, explain."""
