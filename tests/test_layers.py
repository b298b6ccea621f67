"""How the package hangs together: who may import whom, how long a file may be, and how fast it starts."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter

import pytest

from edgebook.paths import repository

SOURCE = repository() / "src" / "edgebook"

LAYERS: dict[str, str] = {
    "ground": "timeframes universe errors rounding paths params sections settings_yaml settings_rules recipes "
    "recipe_entries exit_plans tables formats lock json_shapes whole_files desk_outcomes desk_section credentials "
    "private_data databases bar_files bar_database bar_feed",
    "statistics": "intervals ratios drawdowns shrinkage cells folds deflated calibration thresholds metrics",
    "bars": "sessions membership bars folder folder_* samples sources synthetic synthetic_* received received_parts "
    "received_rows late_series database_* receiving feeds feeds_* known_bars",
    "patterns": "patterns patterns.*",
    "indicators": "indicators indicators.*",
    "outcomes": "candidates barriers barriers_plain silent_series outcomes recorded recorded_* "
    "column_values column_screen desk_columns",
    "regimes": "regimes regimes_kernels newest_regime regime_hmm regime_hmm_*",
    "policy": "market market_tags plan_outcomes loaded_plans heads vote_strategies stacking indicator_weights "
    "pattern_effects threshold_rules experts observed record consensus policy learned_policy learners signals "
    "candidate_marks",
    "arms": "book day_scores gate pending column_changes arms cusum drift drift_limits drift_streams drift_words",
    "seals": "seals seal_text seal_shapes sealed_files seal_lines week before_seal",
    "studies": "importance importance_* circular_shift permutation contributions tuning tuning_*",
    "loop": "genesis routing loop drift_week week_rows decisions proposals history rederive epochs remaking "
    "columns_as_sealed",
    "evidence": "source_digest evidence_markets evidence_arms evidence_weeks evidence_variants evidence_cells "
    "ablation evidence_loop evidence_loops known_switch known_truth null_* naive_rules adversarial_* power_curves "
    "audit audit_* planted_leaks loop_books loop_counts loop_summary loop_planted",
    "analyses": "tracks strategies learning_* policy_history head_record learner_record candidate_scores "
    "random_policies live_columns goals goal_* compare_outcomes ab_* tear_sheet tear_sheet_days power second_opinions "
    "repeated_looks regime_report regime_truth regime_performance regime_comparison outcome_* versions live exporters "
    "exports imports imports_* data_fetch data_check data_check_* data_sample doctor settings_file dvc_lock next_week "
    "weekly daily day_fold live_bars snapshot champion explain",
    "reports": "display report report_* dashboard dashboard_* learners_page adversarial_page loop_page loop_words "
    "loop_baselines_page figures figures_* ab_decision *_readings *_tables *_pictures *_review *_verdict drift_report "
    "summary summary_* markdown_text trend_lines all_weeks all_weeks_page week_dashboard",
    "stages": "store store_* migrations migrations.* canonical runner progress serving serving_pages stages sample "
    "evidence evidence_learners evidence_page reproduction reproduction_* safety safety_* fuzz fuzz_*",
    "command line": "cli cli_options cli_week cli_trades cli_data cli_data_* cli_views edgebook",
}
"""From the data to the user. A module imports from its own layer and from those above it in this list; where several
lines name it, the last one counts, so that `tuning_tables` is a report and `tuning_space` a study."""

MAY_LOOK_UP: dict[tuple[str, str], str] = {}
"""Imports against the order, each with its reason."""

CYCLES_BROKEN_BY_LATE_IMPORT: dict[tuple[str, str], str] = {
    ("params", "settings_rules"): "the rules name the sections that they hold for, and a section asks for its rules",
}
"""Imports inside a function that would close a circle at the top of a module."""

LONGER: dict[str, str] = {}
"""Modules above 300 lines, each with its reason."""

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


def layer_of(module: str) -> int:
    """Place of a module in `LAYERS`, -1 for none."""
    places = [i for i, names in enumerate(LAYERS.values()) if any(fnmatchcase(module, n) for n in names.split())]
    return places[-1] if places else -1


def test_every_module_has_its_place():
    assert [module for module in TEXTS if layer_of(module) < 0] == [], "name it in one of LAYERS"


def test_every_layer_has_its_modules():
    places = {layer_of(module) for module in TEXTS}
    assert [name for i, name in enumerate(LAYERS) if i not in places] == []


def test_imports_run_one_way():
    against = {
        (importer, imported)
        for importer, others in GRAPH.items()
        for imported in others
        if layer_of(imported) > layer_of(importer)
    }
    assert against == set(MAY_LOOK_UP)


def test_there_are_no_circles():
    graph = {
        module: {other for other in others if (module, other) not in CYCLES_BROKEN_BY_LATE_IMPORT}
        for module, others in GRAPH.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))


def test_circles_are_broken_where_they_are_said_to_be():
    for importer, imported in CYCLES_BROKEN_BY_LATE_IMPORT:
        assert {imported} & GRAPH[importer], f"{importer} no longer imports {imported}: take the exception out"


def test_a_module_is_one_idea_long():
    lines = {module: len(text.splitlines()) for module, text in TEXTS.items()}
    assert {module: n for module, n in lines.items() if n > 300 and module not in LONGER} == {}, "split it by idea"
    assert {module: lines[module] for module in LONGER if lines[module] <= 300} == {}, "short again: not an exception"


def test_only_candidates_look_at_later_bars():
    """Outcomes are the future by definition; everything else that shifts backwards would leak it."""
    backwards = ("shift(-", "bfill(", "[::-1].rolling", "center=True")
    looking = {(module, sign) for module, text in TEXTS.items() for sign in backwards if sign in text}
    assert {module for module, _ in looking} <= {"candidates"}


def test_only_the_command_line_and_what_make_calls_print():
    printing = {
        (module, node.lineno)
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    }
    assert {module for module, _ in printing} <= {"cli", "sample", "evidence"}, printing


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
    assert loaded("import edgebook.params, edgebook.paths, edgebook.errors") == set()


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
