"""What the commands share: options, the repository they work on, its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from edgebook.paths import Paths
    from edgebook.settings.params import Params

ALARM = 3
"""Exit status of a daily or weekly run with an alarm, where it was asked for."""
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")
alarm_exit_option = click.option(
    "--alarm-exit", is_flag=True, help="Exit 3 on an alarm: drift, a rollback, an approval due."
)


def here() -> Paths:
    """Paths of the repository that the command works on."""
    from edgebook.paths import Paths

    return Paths.at()


def settings() -> Params:
    """Its params.yaml, checked."""
    from edgebook.settings.loading import load_params

    return load_params(here().params)
