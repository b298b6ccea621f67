"""The command line. Exit 0: done; 1: failed, with one line that says what to do; 2: misused."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgebook import cli_views as views
from edgebook.errors import EdgebookError

if TYPE_CHECKING:
    from edgebook.params import Params
    from edgebook.paths import Paths
    from edgebook.week import Week

# One thread in the linear algebra: sums in another order are other bytes. Set before numpy is imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")


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
    Every week:        edgebook advance      next week, all stages, reports
    Read the result:   reports/index.html, edgebook versions, edgebook signals
    Step in:           edgebook approve, edgebook rollback
    Prove it:          edgebook rederive

    Settings are in params.yaml, stages in dvc.yaml. `dvc repro` runs what has changed.
    """  # noqa: D301  (click reads the backspace)


@cli.command()
@click.argument("stage")
def run(stage: str) -> None:
    """Run one STAGE of dvc.yaml.

    For example `edgebook run learn`. This is what `dvc repro` calls; it reads only the sections of params.yaml that
    the stage declares.
    """
    from edgebook.stages import run_stage

    click.echo(f"{stage}: {run_stage(stage, paths=_paths())}")


@cli.command()
@click.option("--no-repro", is_flag=True, help="Only set the week in params.yaml; run `dvc repro` yourself.")
def advance(no_repro: bool) -> None:
    """Move on to the next week and run it.

    Sets run.as_of in params.yaml to the next Monday and runs `dvc repro`. Refuses a week that the data do not
    complete, and one whose predecessor is not sealed. If a stage fails, params.yaml goes back to where it was.
    """
    from edgebook.next_week import repro, set_next_week

    paths, params = _paths(), _params()
    following, before = set_next_week(params, paths)
    click.echo(f"params.yaml: week {params.run.as_of} -> {following}")
    if not no_repro:
        repro(paths, following=following, before=before)


@cli.command()
@click.option("--until", metavar="MONDAY", help="Last week to seal; run.previous of params.yaml by default.")
def backfill(until: str | None) -> None:
    """Seal every week from genesis that is not sealed yet.

    Makes no reports. This is how a history begins; `dvc repro` does it by itself when a history is new.
    """
    from edgebook.history import backfill as fold
    from edgebook.progress import bar
    from edgebook.settings_rules import monday

    params = _params()
    last = until or params.run.previous
    monday(last, "--until")
    with bar("sealing weeks") as tell:
        written = fold(params, _paths(), until=last, tell=tell)
    history = params.run.history
    click.echo(
        f"{history}: {len(written)} weeks sealed, up to {last}"
        if written
        else f"{history}: sealed up to {last} already"
    )


@cli.command()
@click.pass_context
def rederive(ctx: click.Context) -> None:
    """Derive the history again and compare every byte.

    The audit against look-ahead and lost reproducibility. Exits 1 if any byte differs.
    """
    from edgebook.history import rederive as fold_again
    from edgebook.progress import bar
    from edgebook.seals import sealed_weeks

    params, paths = _params(), _paths()
    with bar("deriving again") as tell:
        wrong = fold_again(params, paths, tell=tell)
    weeks = sealed_weeks(paths, params.run.history)
    if wrong:
        for line in wrong[:20]:
            click.echo(line, err=True)
        click.echo(
            f"{len(wrong)} files differ; was the history made by this code, these settings and these bars?", err=True
        )
        ctx.exit(1)
    click.echo(f"{params.run.history}: {len(weeks)} weeks derived again, every byte the same")


@cli.command()
@_as_json
def versions(as_json: bool) -> None:
    """List every week's champion, challenger and decision."""
    from edgebook.versions import list_versions

    views.show(list_versions(_week()), views.versions, as_json=as_json)


@cli.command()
@click.argument("a")
@click.argument("b")
@_as_json
def compare(a: str, b: str, as_json: bool) -> None:
    """Show what differs between two versions, A and B.

    Their settings, weights and coefficients, and what that did to outcomes. A version is a recipe and a week,
    r1@2019-06-24; a recipe alone means its last version.
    """
    from edgebook.versions import compare_versions

    views.show(compare_versions(_week(), a, b=b), views.comparison, as_json=as_json)


@cli.command()
def approve() -> None:
    """Approve the promotion that the gate recommends.

    With learning.approval: manual the gate only recommends. This records your approval in params.yaml; the challenger
    is promoted with the next week. Commit params.yaml.
    """
    from edgebook.next_week import approve_recommended

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
    from edgebook.next_week import pin_version

    week = _week()
    following = pin_version(week, version, reason=reason)
    click.echo(f"{version} is in force for `edgebook signals` now, and in {week.history} from the week to {following}")


@cli.command()
@_as_json
def signals(as_json: bool) -> None:
    """Print what the champion says of the newest bars."""
    from edgebook.live import newest_signals, policy_in_force

    week, params = _week(), _params()
    policy = policy_in_force(week, pins=params.learning.pins)
    rows = newest_signals(
        policy,
        week.arrays,
        bars=week.bars,
        atr_bars=params.candidates.atr_bars,
        sizing=params.sizing,
        equity=week.seal.account.equity,
    )
    views.show(rows, partial(views.signals, version=policy.version), as_json=as_json)


@cli.command()
@_as_json
def positions(as_json: bool) -> None:
    """Print what is open in the account."""
    from edgebook.live import open_positions

    views.show(open_positions(_week()), views.positions, as_json=as_json)


@cli.command()
@click.argument("signal_id")
@_as_json
def explain(signal_id: str, as_json: bool) -> None:
    """Say why SIGNAL_ID was a signal, and what became of it."""
    from edgebook.live import explain_signal

    views.show(explain_signal(_week(), signal_id), views.explanation, as_json=as_json)


@cli.command()
@click.option("--to", "target", type=click.Path(dir_okay=False), help="Another file than export/edgebook.sqlite.")
def export(target: str | None) -> None:
    """Write the ledger to a SQLite file.

    Tables signal_outcomes and tp_sl_hits. Running it again changes no row that is there already.
    """
    from edgebook.store import export_store

    week, paths = _week(), _paths()
    place = Path(target) if target else paths.export
    number = export_store(week.ledger, path=place)
    click.echo(f"{number:,} signals of {week.history} up to {week.as_of} in {place.name}")


@cli.command()
@_as_json
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check machine, environment, settings and seals.

    Exits 1 if something is wrong.
    """
    from edgebook.doctor import examine

    rows = examine(_paths())
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
    sys.exit(code if isinstance(code, int) else 0)


def _paths() -> Paths:
    from edgebook.paths import Paths

    return Paths.at()


def _params() -> Params:
    from edgebook.params import load_params

    return load_params(_paths().params)


def _week() -> Week:
    """The last sealed week of the history that params.yaml names."""
    from dataclasses import replace

    from edgebook.errors import SealError
    from edgebook.seals import sealed_weeks
    from edgebook.week import Week

    params, paths = _params(), _paths()
    weeks = [w for w in sealed_weeks(paths, params.run.history) if w <= params.run.as_of]
    if not weeks:
        raise SealError(f"models/{params.run.history}: no week is sealed yet; run `make` or `edgebook backfill`")
    return Week(replace(params.run, as_of=weeks[-1]), paths)
