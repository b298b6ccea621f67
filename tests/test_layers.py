"""How the package hangs together: who may import whom, how long a file may be, and how fast it starts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from edgebook.paths import repository

SOURCE = repository() / "src" / "edgebook"

PACKAGES = [
    "errors", "paths", "settings", "files", "statistics",
    "bars", "folder", "sources", "patterns", "indicators", "outcomes", "regimes",
    "policy", "arms", "seals", "importance", "tuning", "loop", "audit",
    "analyses", "trade_files", "running",
    "pages", "figures", "reports", "summary", "dashboard", "store", "stages",
    "safety", "reproduction", "evidence",
    "commands", "cli", "edgebook",
]  # fmt: skip
"""From the data to the user; a package imports only from itself and from those before it. Three modules lie beside the
packages: `errors`, `paths` and `cli`."""

HEAVY = ("pandas", "numpy", "scipy", "sklearn", "statsmodels", "matplotlib", "numba", "optuna", "talib", "pyarrow")
"""Libraries that take from a tenth of a second to seconds to import."""


def module_name(path) -> str:
    parts = [part for part in path.relative_to(SOURCE).with_suffix("").parts if part != "__init__"]
    return ".".join(parts) or "edgebook"


TEXTS = {module_name(path): path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))}
TREES = {module: ast.parse(text) for module, text in TEXTS.items()}


def imports(module: str) -> set[str]:
    """Modules of the package that a module names anywhere: at its top, in a function, for types."""
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}".removeprefix("edgebook").removeprefix(".")
                part = node.module.removeprefix("edgebook").removeprefix(".")
                if node.module.split(".")[0] == "edgebook":
                    found.add(whole if whole in TEXTS else part or "edgebook")
        elif isinstance(node, ast.Import):
            found |= {a.name.removeprefix("edgebook.") for a in node.names if a.name.split(".")[0] == "edgebook"}
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{module}: write imports out in full"
    return found & TEXTS.keys()


GRAPH = {module: imports(module) for module in TEXTS}


def place_of(module: str) -> int:
    """Place of a module's package in `PACKAGES`."""
    return PACKAGES.index(module.split(".")[0])


def test_every_package_has_its_place():
    assert {module.split(".")[0] for module in TEXTS} == set(PACKAGES), "name it in PACKAGES"


def test_imports_run_one_way():
    against = {
        (importer, imported)
        for importer, others in GRAPH.items()
        for imported in others
        if place_of(imported) > place_of(importer)
    }
    assert against == set()


def test_there_are_no_circles():
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_a_module_is_one_idea_long():
    lines = {module: len(text.splitlines()) for module, text in TEXTS.items()}
    assert {module: n for module, n in lines.items() if n > 300} == {}, "split it by idea"


def test_only_candidates_look_at_later_bars():
    """Outcomes are the future by definition; everything else that shifts backwards would leak it."""
    backwards = ("shift(-", "bfill(", "[::-1].rolling", "center=True")
    looking = {(module, sign) for module, text in TEXTS.items() for sign in backwards if sign in text}
    assert {module for module, _ in looking} <= {"outcomes.candidates"}


def test_only_the_command_line_and_what_make_calls_print():
    printing = {
        (module, node.lineno)
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert {module for module, _ in printing} <= {"cli", "stages.sample", "evidence.evidence"}, printing


def test_no_module_asks_for_the_folder_it_runs_in():
    """What a run reads must not depend on where it was started."""
    asking = {module for module, text in TEXTS.items() if "Path.cwd(" in text or "os.getcwd(" in text}
    assert asking == set()


def loaded(code: str) -> set[str]:
    """Heavy libraries that a fresh interpreter has imported after some code."""
    report = f"{code}\nimport json, sys; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_package_is_light_to_import():
    assert loaded("import edgebook") == set()


def test_the_settings_are_light_to_read():
    assert loaded("import edgebook.settings.loading, edgebook.paths, edgebook.errors") == set()


def test_help_is_light():
    help_ = "from edgebook.cli import cli\ncli.main(['--help'], standalone_mode=False)"
    assert loaded(help_) == set()


def test_help_of_every_command_is_light():
    code = (
        "from edgebook.cli import cli\nfor name in cli.commands:\n    cli.main([name, '--help'], standalone_mode=False)"
    )
    assert loaded(code) == set()


def test_a_heavy_library_would_be_noticed():
    assert "pandas" in loaded("import pandas")
