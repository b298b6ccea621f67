"""The commands around the data that a run starts from."""

from __future__ import annotations

import click

from edgebook import cli_data_views
from edgebook.cli_options import as_json_option, here, settings
from edgebook.cli_views import show


@click.group()
def data() -> None:
    """Look at the bars and bring them in.

    What a run starts from: params.yaml, section `bars`.
    """


@data.command()
@as_json_option
@click.pass_context
def check(ctx: click.Context, as_json: bool) -> None:
    """Check the bars that params.yaml names, and say what will be done about each flaw.

    Exits 1 if something would stop the run.
    """
    from edgebook.data_check import check_data

    found = check_data(settings(), here())
    show(found, cli_data_views.data_check, as_json=as_json)
    if found["stopped"]:
        ctx.exit(1)
