"""What holds for every test."""

from hypothesis import settings

# The same examples in every run: a change is judged by what it changed. No deadline: the machine may be busy.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
