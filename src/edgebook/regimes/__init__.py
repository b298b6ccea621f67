"""The regime of every bar, by rules and by a hidden Markov model."""
