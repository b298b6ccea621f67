"""Real servers for what Edgebook connects to: `make test-connections` runs these tests.

`postgres` is a cluster of its own, one a test session and worker, and `database` an empty database in it.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from cluster import NO_SERVER, Cluster, find_programs

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server on loopback, stopped and removed at the end."""
    if os.environ.get("EDGEBOOK_NO_POSTGRES"):
        pytest.skip("EDGEBOOK_NO_POSTGRES is set")
    programs = find_programs()
    if programs is None:
        pytest.fail(NO_SERVER, pytrace=False)
    try:
        cluster = Cluster(programs)
    except subprocess.CalledProcessError as error:
        pytest.fail(f"{error.cmd} failed: {error.stderr}", pytrace=False)
    yield cluster
    cluster.remove()


@pytest.fixture
def database(postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of an empty database; the environment variable DESK_DATABASE holds its address."""
    name = postgres.new_database()
    monkeypatch.setenv("DESK_DATABASE", postgres.url(name))
    return name
