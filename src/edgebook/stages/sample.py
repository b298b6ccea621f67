"""The committed sample: a small market with a known truth, folded into a short history, for notebooks and tests.

The notebooks' own parameter cells read it, so that nbval can run each of them in seconds and nothing is written. It
is laid out like a repository and made by the same stages. ``make sample`` makes it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.settings.loading import load_params
from edgebook.settings.settings_yaml import read_mapping
from edgebook.stages.stages import MODULE_STAGES

if TYPE_CHECKING:
    from edgebook.paths import Paths

TABLE_STAGES = ("bars", "indicators", "candidates", "outcomes")


def make_sample(paths: Paths) -> list[str]:
    """Make every table and seal of a sample from its own params.yaml.

    Parameters
    ----------
    paths : Paths
        A folder that holds params.yaml and nothing that matters beside it.

    Returns
    -------
    list of str
        What each step did.
    """
    import shutil

    from edgebook.files import tables
    from edgebook.loop.history import backfill
    from edgebook.regimes.regime_hmm import label_bars
    from edgebook.settings.params import plain

    params = load_params(paths.params)
    everything = read_mapping(paths.params)
    for folder in (paths.history(params.run.history), paths.root / "data"):
        shutil.rmtree(folder, ignore_errors=True)
    lines = [f"{stage}: {MODULE_STAGES[stage](everything, paths)}" for stage in TABLE_STAGES]
    tables.write(label_bars(tables.read(paths.bars), plain(params.regimes)), paths.regimes)
    written = backfill(params, paths, until=params.run.as_of)
    return [*lines, f"{len(written)} weeks sealed, up to {params.run.as_of}"]


if __name__ == "__main__":
    from edgebook.paths import Paths as _Paths

    print("\n".join(make_sample(_Paths.at("data/sample"))))
