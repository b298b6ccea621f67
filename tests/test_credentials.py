"""Credentials are read by name and never shown."""

from __future__ import annotations

import logging
import subprocess

import pytest

from edgebook.errors import SettingsError
from edgebook.files import credentials
from edgebook.files.credentials import credential, hidden
from edgebook.paths import repository


@pytest.fixture(autouse=True)
def nothing_read_yet(monkeypatch):
    monkeypatch.setattr(credentials, "_read", set())
    monkeypatch.delenv("DESK", raising=False)


@pytest.fixture
def desk_file(tmp_path):
    def write(text: str):
        path = tmp_path / ".env"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        return tmp_path

    return write


def test_environment_comes_before_the_file(desk_file, monkeypatch):
    root = desk_file("DESK=from-file\n")
    assert credential("DESK", root=root) == "from-file"
    monkeypatch.setenv("DESK", "from-environment")
    assert credential("DESK", root=root) == "from-environment"


@pytest.mark.parametrize(
    "line",
    ["DESK=a=b#c", " DESK = a=b#c ", "export DESK=a=b#c", "DESK='a=b#c'", 'DESK="a=b#c"', "# note\n\nDESK=a=b#c"],
)
def test_lines_of_the_file(desk_file, line):
    assert credential("DESK", root=desk_file(f"\ufeffOTHER=1\n{line}\r\n")) == "a=b#c"


@pytest.mark.parametrize("text", [None, "", "DESK=\n", "DESKTOP=1\n"])
def test_missing_credential_says_where_to_put_it(desk_file, tmp_path, text):
    root = tmp_path if text is None else desk_file(text)
    with pytest.raises(SettingsError, match=r"^DESK: no such credential; set .* or add a line DESK=\.\.\. to \.env"):
        credential("DESK", root=root)


def test_unreadable_line_is_named_by_number_and_not_shown(desk_file):
    with pytest.raises(SettingsError, match=r"^\.env: line 2: not NAME=value") as caught:
        credential("DESK", root=desk_file("A=1\nhunter22\n"))
    assert "hunter22" not in str(caught.value)


def test_file_that_is_no_text(tmp_path):
    (tmp_path / ".env").write_bytes(b"DESK=\xff\xfe")
    with pytest.raises(SettingsError, match=r"^\.env: could not be read \(not UTF-8 text\)"):
        credential("DESK", root=tmp_path)


@pytest.mark.parametrize("name", ["", "two words", "postgresql://desk:hunter22@db/desk", "../x", "DESK\n"])
def test_address_in_place_of_a_name_is_refused_unseen(tmp_path, name):
    with pytest.raises(SettingsError, match="not the name of a credential") as caught:
        credential(name, root=tmp_path)
    assert "hunter22" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_file_that_git_tracks_is_refused(desk_file):
    root = desk_file("DESK=hunter22\n")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    assert credential("DESK", root=root) == "hunter22"
    subprocess.run(["git", "-C", str(root), "add", "-f", ".env"], check=True)
    with pytest.raises(SettingsError, match=r"^\.env: git tracks it"):
        credential("DESK", root=root)


def test_file_open_to_others_is_used_with_a_warning(desk_file, caplog):
    root = desk_file("DESK=hunter22\n")
    (root / ".env").chmod(0o644)
    with caplog.at_level(logging.WARNING):
        assert credential("DESK", root=root) == "hunter22"
    assert "chmod 600 .env" in caplog.text
    assert "hunter22" not in caplog.text


def test_git_ignores_the_file():
    assert ".env" in (repository() / ".gitignore").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql+psycopg://u:hunter22@h:1/d", "postgresql+psycopg://u:***@h:1/d"),
        ("(postgresql://u:hun@ter/22@h/d)", "(postgresql://u:***@h/d)"),
        ("redis://:hunter22@h", "redis://:***@h"),
        ("host=h password=hunter22 user=u", "host=h password=*** user=u"),
        ("https://h/x?apiKey=hunter22&limit=5", "https://h/x?apiKey=***&limit=5"),
        ("https://h/x?api_key=hunter22", "https://h/x?api_key=***"),
        ('PASSWORD = "hun ter"', "PASSWORD = ***"),
    ],
)
def test_passwords_of_addresses_are_blanked(text, shown):
    assert hidden(text) == shown


@pytest.mark.parametrize(
    "text", ["", "sqlite:///export/edgebook.sqlite", "https://h:8080/a?b=c", "a@b", "12:30 at a@b", "password is wrong"]
)
def test_other_text_stays_as_it_is(text):
    assert hidden(text) == text


def test_secrets_once_read_are_blanked_wherever_they_stand(monkeypatch, tmp_path):
    monkeypatch.setenv("DESK", "postgresql://u:p%40ss%2Fword@h/d?sslpassword=key-secret")
    monkeypatch.setenv("KEY", "0123456789abcdef")
    credential("DESK", root=tmp_path)
    credential("KEY", root=tmp_path)
    assert hidden("p@ss/word p%40ss%2Fword key-secret 0123456789abcdef h d u") == "*** *** *** *** h d u"
