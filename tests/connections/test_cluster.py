"""The server that the other tests stand on is the one they think it is."""

from __future__ import annotations

import psycopg
import pytest


def test_it_asks_for_its_password_and_listens_on_loopback_only(postgres):
    assert postgres.execute("show listen_addresses") == [("127.0.0.1",)]
    assert postgres.execute("show unix_socket_directories") == [("",)]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(password="wrong"))


def test_it_does_not_run_as_root(postgres):
    assert (postgres.data / "postmaster.pid").stat().st_uid != 0


def test_committed_rows_outlive_a_crash(postgres, database):
    postgres.execute("create table rows as select 1 as n", database=database)
    postgres.restart("immediate")
    assert postgres.execute("select n from rows", database=database) == [(1,)]
