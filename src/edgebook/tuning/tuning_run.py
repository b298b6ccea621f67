"""The study in force in a week, as a notebook asks for it, and how it is handed on to the `learn` stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgebook.errors import DataError
from edgebook.files.whole_files import whole_folder
from edgebook.importance.importance_run import SEALED_NAME, kept_in_force
from edgebook.indicators import families_of
from edgebook.settings.loading import section
from edgebook.settings.params import Sizing, Tuning
from edgebook.settings.recipe_entries import known_recipe
from edgebook.tuning.tuning import study_due, study_of_week
from edgebook.tuning.tuning_study import STUDY_FILE, Study

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgebook.paths import Paths
    from edgebook.seals.seals import Seal
    from edgebook.seals.week import Week


def study_files(
    week: Week, *, tuning: Mapping[str, Any], sizing: Mapping[str, Any], write: bool = False
) -> dict[str, str]:
    """Text of the study in force: a new one when it is due, else that of the seal of the week before.

    Parameters
    ----------
    week : Week
        Its own seal is not read, for it is written later.
    tuning, sizing : mapping
        Sections of params.yaml.
    write : bool
        Whether finished trials are written down in a journal while the study runs.

    Returns
    -------
    dict of str to str
        As `tuning.study_of_week` returns it; empty before the first study.
    """
    settings = section(Tuning, tuning, where="params.yaml: tuning")
    rule = section(Sizing, sizing, where="params.yaml: sizing")
    previous = week.previous_seal
    carried = carried_study(previous)
    if not study_due(week.as_of, genesis=week.genesis, every_weeks=settings.every_weeks):
        return carried
    return study_of_week(
        week.arrays,
        recipe=known_recipe(previous.recipes[previous.champion], previous.champion),
        families=families_of(week.arrays.indicators),
        sizing=rule,
        settings=settings,
        as_of=week.as_of,
        genesis=week.genesis,
        previous=previous.attachments,
        kept=_kept(week.paths, previous),
        journal=week.paths.journal(history=week.history, as_of=week.as_of) if write else None,
    )


def carried_study(seal: Seal) -> dict[str, str]:
    """Text of the study that a seal carries, by its path in the seal; empty where it carries none."""
    return {name: text for name, text in seal.attachments.items() if name.startswith("study/")}


def read_study(files: Mapping[str, str]) -> Study | None:
    """Read a study from its texts; None where there are none."""
    return Study.from_files(files) if STUDY_FILE in files else None


def hand_on(files: Mapping[str, str], *, week: Week, write: bool) -> None:
    """Write the study where the `learn` stage looks for it, when `write` is set; what is there otherwise goes.

    Raises
    ------
    DataError
        The disk did not take a file; the one before it is still in place.
    """
    if not write:
        return
    folder = week.paths.study
    wanted = {name.split("/")[-1]: text for name, text in files.items()}
    try:
        with whole_folder(folder) as fresh:
            for name, text in wanted.items():
                (fresh / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{folder}: could not be written ({reason}); free space and run again") from error


def _kept(paths: Paths, seal: Seal) -> tuple[str, ...] | None:
    """Indicators that the importance run in force kept: this week's, or the one that the seal carries."""
    if not paths.importance.exists():
        return kept_in_force(seal.attachments)
    return kept_in_force({SEALED_NAME: paths.importance.read_text(encoding="utf-8")})
