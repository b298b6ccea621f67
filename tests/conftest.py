"""What holds for every test."""

import pytest
from hypothesis import settings

from edgebook.paths import Paths

# The same examples in every run: a change is judged by what it changed. No deadline: the machine may be busy.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """A small repository: tables, settings, nine sealed weeks. To be read; `copy_history` gives one to change."""
    from small_market import fold_small_history

    return fold_small_history(tmp_path_factory.mktemp("small"))
