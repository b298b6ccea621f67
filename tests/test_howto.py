"""The how-to pages do what they say: the stage of `add-a-stage.md` is added and run, commands and settings exist."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest
import yaml

from edgebook.cli import cli
from edgebook.paths import repository
from edgebook.seals.week import Week
from edgebook.settings.loading import load_params
from edgebook.settings.settings_yaml import read_mapping
from edgebook.sources.sources import load_bars
from small_market import LAST, copy_history

ROOT = repository()
HOWTO = ROOT / "docs" / "howto"
PAGES = sorted(HOWTO.glob("*.md"))
STAGE = "weekdays"


def blocks(page: Path, *, language: str) -> list[str]:
    """Fenced blocks of one language, in order."""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [text for kind, text in found if kind == language]


def notebook_of(cells: str) -> nbformat.NotebookNode:
    """The notebook that the page writes as text, a marked cell after the other."""
    make = {"markdown": nbformat.v4.new_markdown_cell}
    made = []
    for number, (kind, source) in enumerate(re.findall(r"^# %% (\w+)\n(.*?)(?=^# %%|\Z)", cells, flags=re.M | re.S)):
        cell = make.get(kind, nbformat.v4.new_code_cell)(source.strip())
        cell["id"] = f"{STAGE}-{number:02}"
        if kind == "parameters":
            cell.metadata["tags"] = ["parameters"]
        made.append(cell)
    return nbformat.v4.new_notebook(cells=made, metadata={"title": "Weekdays"})


def commands(page: Path) -> list[str]:
    """Commands of the shell blocks, one that spans lines as one."""
    found: list[str] = []
    for block in blocks(page, language=""):
        for line in (re.sub(r"\s+# .*", "", line) for line in block.splitlines()):
            whole = found and found[-1].count("'") % 2 == 0
            if not found or whole:
                found.append(line)
            else:
                found[-1] += "\n" + line
    return found


@pytest.fixture(scope="module")
def extended(small, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A repository with the small history and a copy of the package, to which the page's pieces have been added."""
    page = HOWTO / "add-a-stage.md"
    paths = copy_history(small, tmp_path_factory.mktemp("added"))
    root = paths.root
    package = root / "src" / "edgebook"
    shutil.copytree(ROOT / "src" / "edgebook", package, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "data" / "sample").symlink_to(ROOT / "data" / "sample", target_is_directory=True)
    (root / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "nbval_sanitize.cfg", root / "tests")
    (module,), (_, listed) = blocks(page, language="python"), blocks(page, language="text")
    (package / "reports" / "weekday_tables.py").write_text(module, encoding="utf-8")
    (root / "notebooks").mkdir()
    nbformat.write(notebook_of(blocks(page, language="text")[0]), root / "notebooks" / f"{STAGE}.ipynb")
    entry, dependency = blocks(page, language="yaml")
    pipeline = (root / "dvc.yaml").read_text(encoding="utf-8")
    assert pipeline.count("\n  summary:\n") == 1
    before, after = pipeline.split("\n  summary:\n")
    after = after.replace("    outs:\n", f"{dependency}    outs:\n", 1)
    (root / "dvc.yaml").write_text(f"{before}\n{entry}\n  summary:\n{after}", encoding="utf-8")
    names = package / "pages" / "report_names.py"
    text = names.read_text(encoding="utf-8")
    assert text.count("\n)\n") == 1
    names.write_text(text.replace("\n)\n", f"\n{listed})\n"), encoding="utf-8")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PYTHONPATH": str(root / "src"), "EDGEBOOK_ROOT": str(root), "PATH": path}
    return root, os.environ | environment


@pytest.mark.slow  # `make test-guides`
def test_a_stage_is_added_as_the_page_says(extended):
    """Every command of the page, in its order: outputs saved, stage run, week's pages made, notebook compared."""
    root, environment = extended
    said = commands(HOWTO / "add-a-stage.md")
    assert [shlex.split(one)[0] for one in said] == ["python", "edgebook", "edgebook", "pytest"]
    for command in said:
        done = subprocess.run(["bash", "-c", command], cwd=root, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    report = (root / "reports" / LAST / f"{STAGE}.html").read_text(encoding="utf-8")
    assert "On which weekday do signals earn?" in report
    assert re.search(r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day is ahead with [\d.]+\s% of \d+ signals", report)
    assert 'href="tear_sheet.html"' in report
    for name in ("index.html", "summary.md"):
        assert f"{STAGE}.html" in (root / "reports" / LAST / name).read_text(encoding="utf-8"), name
    stages = read_mapping(root / "dvc.yaml")["stages"]
    assert f"reports/${{run.as_of}}/{STAGE}.html" in stages["summary"]["deps"]
    assert list(stages)[-1] == "summary"


def test_the_pages_module_keeps_the_rules_of_the_package(extended):
    """Ruff finds nothing, as in `make lint`."""
    root, _ = extended
    module = root / "src" / "edgebook" / "reports" / "weekday_tables.py"
    for tool in (
        ["ruff", "check", "--config", ROOT / "pyproject.toml"],
        ["ruff", "format", "--check", "--config", ROOT / "pyproject.toml"],
    ):
        done = subprocess.run([sys.executable, "-m", *map(str, tool), str(module)], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_a_change_to_the_page_is_noticed():
    """What the test is for: a command that is not there, a cell that is none."""
    assert notebook_of("# %% code\n1 / 0\n").cells[0].source == "1 / 0"
    assert commands(HOWTO / "add-a-stage.md")[0].count("\n") == 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_options_and_settings_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    for name, rest in re.findall(
        r"edgebook ([a-z]+)((?: [^`\n|#]*)?)", "\n".join(re.findall(r"`([^`]+)`", text) + commands(page))
    ):
        if name not in cli.commands:
            continue
        inner = getattr(cli.commands[name], "commands", {}).values()
        params = [param for command in (cli.commands[name], *inner) for param in command.params]
        known = {option for param in params for option in getattr(param, "opts", [])}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, f"edgebook {name}{rest}"
    params = load_params(ROOT / "params.yaml")
    sections = read_mapping(ROOT / "params.yaml")
    for section, key in re.findall(r"`(?:-S )?([a-z_]+)\.([a-z_]+)(?:=[^`]*)?`", text):
        if section in sections and section != "recipes":
            assert hasattr(getattr(params, section), key), f"{page.name}: {section}.{key}"


SETTINGS = [(page, text) for page in PAGES if page.name != "add-a-stage.md" for text in blocks(page, language="yaml")]


@pytest.mark.parametrize(("page", "text"), SETTINGS, ids=[page.name for page, _ in SETTINGS])
def test_settings_of_a_page_pass_the_check(page, text, tmp_path):
    """Laid over the repository's own params.yaml."""
    whole = read_mapping(ROOT / "params.yaml")
    for section, changes in yaml.safe_load(text).items():
        whole[section] = {**whole[section], **changes}
    file = tmp_path / "params.yaml"
    file.write_text(json.dumps(whole), encoding="utf-8")
    assert load_params(file) != load_params(ROOT / "params.yaml")


def test_bars_written_as_the_page_says_are_read(tmp_path):
    (text,) = blocks(HOWTO / "use-your-own-bars.md", language="csv")
    (tmp_path / "BTC-USD_1h.csv").write_text(textwrap.dedent(text), encoding="utf-8")
    found = load_bars(source="folder", timeframes=["1h"], as_of="2019-07-01", folder=tmp_path)
    assert found[["pair", "close"]].to_numpy().tolist() == [["BTC/USD", 10760.1], ["BTC/USD", 10809.3]]


def test_the_question_in_sql_is_answered(small, tmp_path):
    from edgebook.store.store import export_store

    (question,) = blocks(HOWTO / "export-the-ledger.md", language="sql")
    file = tmp_path / "signals.sqlite"
    export_store(Week(load_params(small.params).run, small).ledger, path=file, history="main")
    with contextlib.closing(sqlite3.connect(file)) as store:
        rows = store.execute(question).fetchall()
    assert sum(row[1] for row in rows) > 0
    assert all(0 <= rate <= 1 for _, _, rate, _ in rows)


def test_every_page_is_in_the_index_and_fits_a_screen():
    index = (HOWTO / "README.md").read_text(encoding="utf-8")
    assert sorted(set(re.findall(r"\]\(([a-z-]+\.md)\)", index))) == sorted(
        page.name for page in PAGES if page.name != "README.md"
    )  # fmt: skip
    longer = {"add-a-stage.md", "audit.md"}
    lines = {page.name: len(page.read_text(encoding="utf-8").splitlines()) for page in PAGES if page.name not in longer}
    assert {name: count for name, count in lines.items() if count > 60} == {}
