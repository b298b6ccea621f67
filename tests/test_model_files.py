"""Model files cannot run code: nothing that is read is called, and what is not what it was is refused by its name."""

from __future__ import annotations

import ast
import json

import pytest

from edgebook.errors import EdgebookError, SealError
from edgebook.loop.history import policy_of
from edgebook.paths import Paths, repository
from edgebook.safety.fuzz import fuzzed
from edgebook.safety.fuzz_readers import readers
from edgebook.seals.seal_text import digest, json_text
from edgebook.seals.seals import read_seal
from small_market import LAST, copy_history

SOURCE = repository() / "src" / "edgebook"
RUNS_WHAT_IT_READS = {
    "pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "skops", "runpy", "yaml", "imp",
}  # fmt: skip
CALLS = {"eval", "exec", "compile", "__import__", "load_module", "exec_module", "read_pickle", "to_pickle"}
REASONS = {
    ("tuning_workers", "pickle"): "arrays handed to the study's own processes through a folder that is theirs alone",
}
"""Where a module may do it, and why no file that somebody else wrote is reached by it."""


def found_in(tree: ast.AST) -> set[str]:
    """Modules and calls that would run what they read."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names} & RUNS_WHAT_IT_READS
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module.split(".")[0]} & RUNS_WHAT_IT_READS
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            owner = getattr(getattr(node.func, "value", None), "id", "")
            found |= {name} & CALLS if owner != "re" else set()
            if name == "YAML" and any(
                k.arg == "typ" and getattr(k.value, "value", "") == "unsafe" for k in node.keywords
            ):
                found.add("YAML(typ=unsafe)")
            if any(k.arg == "allow_pickle" for k in node.keywords):
                found.add("allow_pickle")
    return found


def test_nothing_that_is_read_is_run():
    """No pickle, no eval, no unsafe YAML in the whole package, but where a reason stands above."""
    for file in sorted(SOURCE.rglob("*.py")):
        for name in found_in(ast.parse(file.read_text(encoding="utf-8"))):
            assert (file.stem, name) in REASONS, f"{file.name}: {name}"


@pytest.mark.parametrize(
    "text",
    ["import pickle", "from joblib import load", "eval('1')", "np.load(f, allow_pickle=True)", "pd.read_pickle(f)",
     "YAML(typ='unsafe')", "from yaml import load"],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(text):
    assert found_in(ast.parse(text))


def test_models_are_text():
    """There is no binary model, so there is nothing to unpickle: a seal is JSON and CSV."""
    ends = {file.suffix for file in (repository() / "models").rglob("*") if file.is_file()}
    assert ends <= {".json", ".csv"}


# --- tampered with


@pytest.fixture
def mine(small, tmp_path) -> Paths:
    return copy_history(small, tmp_path / "mine")


def forge(paths: Paths, name: str, change) -> None:
    """Change a file of the last seal and give seal.json its new digest, as one who forges would."""
    place = paths.seal(history="main", as_of=LAST)
    document = json.loads((place / name).read_text(encoding="utf-8"))
    change(document)
    text = json.dumps(document)
    (place / name).write_text(text, encoding="utf-8")
    head = json.loads((place / "seal.json").read_text(encoding="utf-8"))
    head["files"][name] = digest(text)
    (place / "seal.json").write_text(json_text(head), encoding="utf-8")


def test_a_tampered_policy_is_refused_by_its_name_wherever_it_is_read(mine):
    file = mine.seal(history="main", as_of=LAST) / "policies" / "r1.json"
    file.write_text(file.read_text(encoding="utf-8").replace('"min_heads_agree": 2', '"min_heads_agree": 0'), "utf-8")
    said = rf"^models/main/{LAST}/policies/r1.json: is not what was sealed"
    with pytest.raises(SealError, match=said):
        read_seal(mine, history="main", as_of=LAST)
    with pytest.raises(SealError, match=said):
        policy_of(mine, "main", f"r1@{LAST}")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("policies/r1.json", lambda d: d.update(exit_plan="../../x"), r"policies/r1.json: is damaged \(exit_plan: is"),
        ("policies/r1.json", lambda d: d.update(recipe="r2"), "recipe: is 'r2', the file is that of r1"),
        ("policies/r1.json", lambda d: d.update(run="rm"), r"policies/r1.json: is damaged \('run': no such key"),
        ("policies/r1.json", lambda d: d["base_win_rate"]["ranging"].update(long=1e9), "base_win_rate.ranging.long"),
        ("policies/r1.json", lambda d: d["heads"].update(Z={}), "heads.a name: is 'Z', must be A, B"),
        ("state/r1.json", lambda d: d["record"]["votes"].update({"../x": []}), "record.votes.a name: is '../x'"),
        ("account.json", lambda d: d.update(cash="1"), r"account.json: is damaged \(cash: is '1', must be a number"),
    ],
)  # fmt: skip
def test_what_no_policy_says_is_refused_by_file_and_key(mine, name, change, said):
    forge(mine, name, change)
    with pytest.raises(SealError, match=said) as raised:
        read_seal(mine, history="main", as_of=LAST)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "/etc/passwd", "a/../../b.json"])
def test_a_seal_names_files_in_its_folder_only(mine, name):
    file = mine.seal(history="main", as_of=LAST) / "seal.json"
    head = json.loads(file.read_text(encoding="utf-8"))
    head["files"][name] = "0" * 24
    file.write_text(json_text(head), encoding="utf-8")
    with pytest.raises(SealError, match=r"files.a name: is"):
        read_seal(mine, history="main", as_of=LAST)


@pytest.mark.parametrize("version", ["../../x@2018-05-28", "r1@../../../etc", "r1@2018-05-29", "@", "r1@"])
def test_a_version_that_is_a_path_is_no_version(mine, version):
    with pytest.raises(EdgebookError, match="no such version"):
        policy_of(mine, "main", version)


# --- hostile files, a small part of what `python -m edgebook.evidence fuzz` reads


def test_every_reader_reads_a_hostile_file_or_refuses_it_in_one_line(tmp_path):
    (tmp_path / "made").mkdir()
    known = readers(Paths(repository() / "data" / "sample"), scratch=tmp_path / "made")
    (tmp_path / "made").rename(tmp_path.parent / f"{tmp_path.name}-made")
    for reader in known:
        if reader.files:
            assert fuzzed(reader, outer=tmp_path, cases=2 + reader.cases // 400)["crashes"] == [], reader.name


def test_a_crash_would_be_told(tmp_path):
    from edgebook.safety.fuzz_readers import Reader

    def careless(root):
        json.loads((root / "x.json").read_bytes())

    found = fuzzed(Reader("careless", 20, {"x.json": b"{}"}, careless), outer=tmp_path, cases=20)
    assert found["crashes"]


# --- names in pages


HOSTILE = "<img src=x onerror=alert(1)>&\"'</script>"


def test_a_hostile_name_stays_text_in_tables_captions_and_the_documents_of_the_dashboard():
    import pandas as pd

    from edgebook.dashboard.dashboard_text import document_text
    from edgebook.pages.display import table

    frame = pd.DataFrame({HOSTILE: [HOSTILE], "n": [1]})
    page = str(table(frame, caption=HOSTILE)._repr_html_()) + document_text({"head": {"market": HOSTILE}})
    assert "<img" not in page and "</script" not in page
