"""The command line. Exit 0: done; 1: failed, with one line that says what to do; 2: misused; 3: alarm, if asked for."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import click

from edgebook.commands import cli_views as views
from edgebook.commands.cli_data import data
from edgebook.commands.cli_options import as_json_option, here, settings
from edgebook.commands.cli_trades import TOOLS, export_as, import_
from edgebook.commands.cli_week import WEEK_COMMANDS
from edgebook.errors import EdgebookError

if TYPE_CHECKING:
    from edgebook.seals.week import Week
    from edgebook.trade_files.imports import Tool

# One thread in the linear algebra: sums in another order are other bytes. Set before numpy is imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")


class _Commands(click.Group):
    """Commands in the order in which a week meets them, not by the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of definition."""
        return list(self.commands)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="edgebook")
def cli() -> None:
    """Trading signals that learn from their own outcomes, and can prove it.

    \b
    Every week:        edgebook weekly       next week, all stages, reports
    Every day:         edgebook daily        new bars, what closed, the day's signals
    Read the result:   edgebook open, edgebook versions, edgebook signals
    Step in:           edgebook approve, edgebook rollback
    Prove it:          edgebook rederive, edgebook audit

    Settings are in params.yaml, stages in dvc.yaml. `dvc repro` runs what has changed.
    """  # noqa: D301  (click reads the backspace)


for _command in (*WEEK_COMMANDS, data, import_):
    cli.add_command(_command)


@cli.command()
@as_json_option
def versions(as_json: bool) -> None:
    """List every week's champion, challenger and decision."""
    from edgebook.running.versions import list_versions

    views.show(list_versions(_week()), views.versions, as_json=as_json)


@cli.command()
@click.argument("a")
@click.argument("b")
@as_json_option
def compare(a: str, b: str, as_json: bool) -> None:
    """Show what differs between two versions, A and B.

    Their settings, weights and coefficients, and what that did to outcomes. A version is a recipe and a week,
    r1@2019-06-24; a recipe alone means its last version.
    """
    from edgebook.running.versions import compare_versions

    views.show(compare_versions(_week(), a, b=b), views.comparison, as_json=as_json)


@cli.command()
def approve() -> None:
    """Approve the promotion that the gate recommends.

    With learning.approval: manual the gate only recommends. This records your approval in params.yaml; the challenger
    is promoted with the next week. Commit params.yaml.
    """
    from edgebook.running.next_week import approve_recommended

    recipe = approve_recommended(_week())
    click.echo(f"{recipe} is approved; it takes over with `edgebook advance`")


@cli.command()
@click.argument("version")
@click.option("--reason", required=True, help="Why, for the record.")
def rollback(version: str, reason: str) -> None:
    """Make VERSION the champion by hand.

    A recipe (r1) goes on learning; a version (r1@2019-05-06) stays as it was. `edgebook signals` follows at once, the
    history with the next week; nothing sealed is touched. Commit params.yaml.
    """
    from edgebook.running.next_week import pin_version

    week = _week()
    following = pin_version(week, version, reason=reason)
    click.echo(f"{version} is in force for `edgebook signals` now, and in {week.history} from the week to {following}")


@cli.command()
@as_json_option
def signals(as_json: bool) -> None:
    """Print what the champion says of the newest bars."""
    from edgebook.running.snapshot import signals_now

    now, rows = signals_now(settings(), here())
    views.show(rows, partial(views.signals, where=now.told), as_json=as_json)


@cli.command()
@as_json_option
def positions(as_json: bool) -> None:
    """Print what is open in the account."""
    from edgebook.running.snapshot import positions_now

    now, rows = positions_now(settings(), here())
    views.show(rows, partial(views.positions, where=now.told), as_json=as_json)


@cli.command("open")
@click.argument("week", required=False)
@click.option("--port", type=click.IntRange(0, 65535), help="Another port than 8642; 0 for any that is free.")
@click.option("--no-browser", is_flag=True, help="Only serve, and print the address.")
def open_(week: str | None, port: int | None, no_browser: bool) -> None:
    """Open the dashboard of the newest WEEK, or of another, with all trades.

    Serves reports/ on this machine only, until Ctrl-C; the dashboard is made of the whole ledger.
    """
    import threading
    import webbrowser

    from edgebook.stages.serving import PORT, ReportsServer
    from edgebook.stages.serving_pages import LedgerPages, week_to_open

    paths = here()
    shown = week_to_open(paths, week)
    pages = LedgerPages(paths, settings())
    with ReportsServer(paths.reports, pages=pages, port=PORT if port is None else port) as server:
        address = f"{server.address}/{shown}/"
        click.echo(f"making the dashboard of {shown} with all trades", err=True)
        pages.page(shown)
        click.echo(f"{address} (Ctrl-C stops)")
        if not no_browser:  # in a thread: a browser in the terminal would keep the server from answering it
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        with suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=0.1)
    click.echo("stopped", err=True)


@cli.command()
@click.argument("signal_id")
@as_json_option
def explain(signal_id: str, as_json: bool) -> None:
    """Say why SIGNAL_ID was a signal, and what became of it.

    A signal of the ledger, or any candidate since genesis: then why it was none.
    """
    from edgebook.running.explain import explain_signal
    from edgebook.running.snapshot import newest_tables

    now = newest_tables(settings(), here())
    found = explain_signal(now.week, signal_id, market=now.market)
    views.show(found, views.explanation, as_json=as_json)


@cli.command()
@click.option("--to", "target", type=click.Path(dir_okay=False), help="Another file than export/edgebook.sqlite.")
@click.option("--database", metavar="NAME", help="Into the database whose address is the credential NAME.")
@click.option("--as", "tool", type=click.Choice(TOOLS), help="In the shape of another tool, into the file --to.")
def export(target: str | None, database: str | None, tool: Tool | None) -> None:
    """Write the ledger to a SQLite file, or to PostgreSQL.

    Tables signal_outcomes and tp_sl_hits. Running it again changes no row that is there already. NAME is an environment
    variable or a line of .env; its value, the address with its password, is never on a command line.
    """
    from edgebook.store.store import export_ledger

    if target and database:
        raise click.UsageError("--to and --database: name one place")
    week, paths = _week(), here()
    if tool is not None:
        export_as(week, paths, tool=tool, target=target)
        return
    number, place = export_ledger(week.ledger, paths=paths, history=week.history, file=target, database=database)
    click.echo(f"{number:,} signals of {week.history} up to {week.as_of} in {place}")


@cli.command()
@as_json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check machine, environment, settings and seals.

    Exits 1 if something is wrong.
    """
    from edgebook.running.doctor import examine

    rows = examine(here())
    views.show([{"check": r.name, "ok": r.ok, "detail": r.detail} for r in rows], views.checks, as_json=as_json)
    if not all(r.ok for r in rows):
        ctx.exit(1)


def main() -> None:
    """Run the command line; an error that has a remedy is one line, not a traceback."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except EdgebookError as error:
        click.echo(f"edgebook: {error}", err=True)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:  # a full disk or a folder that may not be written, wherever it is met
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"edgebook: {place}{error.strerror or error}; what was there stays", err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _week() -> Week:
    """The last sealed week of the history that params.yaml names."""
    from edgebook.running.live import last_sealed

    return last_sealed(settings(), here())
