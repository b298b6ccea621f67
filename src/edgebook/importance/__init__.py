"""Which indicators matter, against the same indicators shifted in time."""
