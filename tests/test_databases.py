"""Databases named by a credential are opened as they should be, and what goes wrong is told in one line."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from edgebook.errors import SettingsError
from edgebook.files import credentials
from edgebook.files.databases import one_line, open_database


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setattr(credentials, "_read", set())
    return lambda value: monkeypatch.setenv("DESK", value)


@pytest.mark.parametrize("driver", ["postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"])
def test_postgresql_is_spoken_to_through_psycopg(address, tmp_path, driver):
    address(f"{driver}://u:hunter22@127.0.0.1:1/d")
    engine = open_database("DESK", root=tmp_path, read_only=True)
    assert engine.url.drivername == "postgresql+psycopg"
    with pytest.raises(DBAPIError) as caught:
        engine.connect()
    said = one_line(caught.value)
    assert said.startswith("connection failed: ")
    assert "hunter22" not in said + str(caught.value) + repr(engine)
    assert "\n" not in said


def test_a_file_is_taken_from_the_top_of_the_repository(address, tmp_path):
    address("sqlite:///a b#1.sqlite")
    with pytest.raises(SettingsError, match=r"^DESK: no such file a b#"):
        open_database("DESK", root=tmp_path, read_only=True)
    address("sqlite:///a b#1.sqlite")
    with open_database("DESK", root=tmp_path).begin() as connection:
        connection.execute(text("create table t as select 1 as n"))
    assert (tmp_path / "a b#1.sqlite").exists()
    with open_database("DESK", root=tmp_path, read_only=True).connect() as connection:
        assert connection.execute(text("select n from t")).scalar() == 1
        with pytest.raises(DBAPIError) as caught:
            connection.execute(text("insert into t values (2)"))
    assert one_line(caught.value) == "attempt to write a readonly database"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("hunter22", "DESK: not the address of a database; write postgresql://"),
        ("postgresql://u:hunter22@h:port/d", "DESK: not the address of a database"),
        ("sequel://u:hunter22@h/d", "DESK: sequel needs an SQLAlchemy dialect, which is not installed"),
        ("mysql+nothing://u:hunter22@h/d", "DESK: mysql.nothing needs an SQLAlchemy dialect, which is not installed"),
    ],
)
def test_what_is_no_address_is_refused_unseen(address, tmp_path, value, said):
    address(value)
    with pytest.raises(SettingsError, match=f"^{said}") as caught:
        open_database("DESK", root=tmp_path)
    assert "hunter22" not in str(caught.value)
