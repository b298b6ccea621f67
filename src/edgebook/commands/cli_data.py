"""The commands around the data that a run starts from."""

from __future__ import annotations

import click

from edgebook.commands import cli_data_views
from edgebook.commands.cli_options import as_json_option, here, settings
from edgebook.commands.cli_views import show


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
    from edgebook.running.data_check import check_data

    found = check_data(settings(), here())
    show(found, cli_data_views.data_check, as_json=as_json)
    if found["stopped"]:
        ctx.exit(1)


@data.command()
@click.argument("folder", default="data/raw")
def sample(folder: str) -> None:
    """Write an example FOLDER of bars, data/raw by default.

    Three symbols, each as another desk would bring it; refuses a folder that holds bars.
    """
    from edgebook.running.data_sample import write_sample

    names = write_sample(here().root / folder, named=folder)
    click.echo(f"{folder}: {', '.join(names)}; {names[-1]} says how to run on them")


@data.command()
@click.option("--until", metavar="DATE", help="Only bars that closed by then, UTC; now by default.")
@as_json_option
def fetch(until: str | None, as_json: bool) -> None:
    """Receive what is new from a database or an exchange.

    Into data/received, which is only ever added to; and the desk's outcomes, where params.yaml asks for them.
    `advance`, `weekly` and `daily` do this first.
    """
    from edgebook.files.lock import only_one
    from edgebook.running.data_fetch import fetch as receive
    from edgebook.stages.progress import count

    with only_one(here().lock, doing="data fetch"), count("receiving", unit="bars") as tell:
        told = receive(
            settings(),
            here(),
            until=until,
            tell=lambda so_far: tell(so_far.new + so_far.revised),
            say=lambda line: click.echo(line, err=True),
        )
    show(told, lambda _: click.echo(told["line"]), as_json=as_json)


@data.command()
@click.argument("folders", nargs=-1, metavar="[FOLDER]...")
@click.option("--undo", is_flag=True, help="Give the folders back to git.")
def private(folders: tuple[str, ...], undo: bool) -> None:
    """Keep a FOLDER of data out of git: recorded, received or raw.

    DVC tracks it instead, so that its files go to a remote of DVC and git has their digest alone. Refused where git has
    them in its history. Without a FOLDER it says which are private, and exits 1 if git has, or would take, what is.
    """
    from edgebook.files.private_data import make_private, make_public, privacy

    if folders:
        for line in (make_public if undo else make_private)(here(), folders):
            click.echo(line)
        return
    if undo:
        raise click.UsageError("--undo: name the folders")
    found = privacy(here(), private=settings().outcomes.private)
    for name, _, detail in found:
        click.echo(f"{name}: {detail}")
    if not found:
        click.echo("nothing is private: git may have everything below data")
    if not all(ok for _, ok, _ in found):
        click.get_current_context().exit(1)
