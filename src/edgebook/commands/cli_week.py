"""Commands that move a history on: a stage, a day, a week, all weeks; and the proof that it can be trusted."""

from __future__ import annotations

import sys

import click

from edgebook.commands import cli_views as views
from edgebook.commands.cli_options import ALARM, alarm_exit_option, as_json_option, here, settings


@click.command()
@click.argument("stage")
def run(stage: str) -> None:
    """Run one STAGE of dvc.yaml.

    For example `edgebook run learn`. This is what `dvc repro` calls; it reads only the sections of params.yaml that
    the stage declares.
    """
    from edgebook.stages.stages import run_stage

    click.echo(f"{stage}: {run_stage(stage, paths=here())}")


@click.command()
@click.option("--date", metavar="DAY", help="The midnight UTC up to which it looks; the next day by default.")
@alarm_exit_option
@as_json_option
@click.pass_context
def daily(ctx: click.Context, date: str | None, alarm_exit: bool, as_json: bool) -> None:
    """Run one more day: new bars, what closed, what is open, the day's signals.

    What it learned is a preview, in force when the week is sealed. It changes no seal, no report and no setting.
    Days that were missed are caught up.
    """
    from edgebook.files.lock import only_one
    from edgebook.running.daily import day_line, run_daily
    from edgebook.running.data_fetch import fetch_first

    with only_one(here().lock, doing="daily"):
        fetch_first(settings(), here(), at=date)
        days = run_daily(settings(), here(), date=date)
    last = days[-1] if days else None
    line = day_line(days) if days else f"{date} is sealed already: nothing to do"
    views.show(last, lambda _: click.echo(line), as_json=as_json)
    if alarm_exit and last and last["alarms"]:
        ctx.exit(ALARM)


@click.command()
@alarm_exit_option
@as_json_option
@click.pass_context
def weekly(ctx: click.Context, alarm_exit: bool, as_json: bool) -> None:
    """Run the next week if the data complete it; finish one that was stopped.

    For cron: run it as often as you like. Says in one line what it did; nothing to do is no failure.
    """
    from edgebook.files.lock import only_one
    from edgebook.running.weekly import run_weekly

    with only_one(here().lock, doing="weekly") as lock:
        told = run_weekly(here(), lock=lock)
    views.show(told, lambda _: click.echo(told["line"]), as_json=as_json)
    if alarm_exit and told["alarms"]:
        ctx.exit(ALARM)


@click.command()
@click.option("--no-repro", is_flag=True, help="Only set the week in params.yaml; run `dvc repro` yourself.")
def advance(no_repro: bool) -> None:
    """Move on to the next week and run it.

    Sets run.as_of in params.yaml to the next Monday and runs `dvc repro`. Refuses a week that the data do not
    complete, and one whose predecessor is not sealed. If a stage fails or you stop it, params.yaml goes back to where
    it was.
    """
    from edgebook.files.lock import only_one
    from edgebook.running.data_fetch import fetch_first
    from edgebook.running.next_week import repro, set_next_week
    from edgebook.running.settings_file import next_monday

    paths, params = here(), settings()
    with only_one(paths.lock, doing="advance") as lock:
        received = fetch_first(params, paths, at=next_monday(params.run.as_of))
        if received:
            click.echo(received)
        following, before = set_next_week(params, paths)
        click.echo(f"params.yaml: week {params.run.as_of} -> {following}")
        if not no_repro:
            repro(paths, following=following, before=before, lock=lock)


@click.command()
@click.option("--until", metavar="MONDAY", help="Last week to seal; run.previous of params.yaml by default.")
def backfill(until: str | None) -> None:
    """Seal every week from genesis that is not sealed yet.

    Makes no reports. This is how a history begins; `dvc repro` does it by itself when a history is new.
    """
    from edgebook.files.lock import only_one
    from edgebook.loop.history import backfill as fold
    from edgebook.settings.settings_rules import monday
    from edgebook.stages.progress import bar

    params = settings()
    last = until or params.run.previous
    monday(last, "--until")
    with only_one(here().lock, doing="backfill"), bar("sealing weeks") as tell:
        written = fold(params, here(), until=last, tell=tell)
    history = params.run.history
    click.echo(
        f"{history}: {len(written)} weeks sealed, up to {last}"
        if written
        else f"{history}: sealed up to {last} already"
    )


@click.command()
@click.pass_context
def rederive(ctx: click.Context) -> None:
    """Derive the history again and compare every byte.

    The audit against look-ahead and lost reproducibility. Exits 1 if any byte differs.
    """
    from edgebook.loop.rederive import rederive as fold_again
    from edgebook.seals.seals import sealed_weeks
    from edgebook.stages.progress import bar

    params, paths = settings(), here()
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


@click.command()
@click.option("--times", default=5, show_default=True, type=click.IntRange(1), help="At how many times to cut.")
@click.option("--seed", default=1, show_default=True, help="Of the times that are drawn; another seed, other times.")
@as_json_option
@click.pass_context
def audit(ctx: click.Context, times: int, seed: int, as_json: bool) -> None:
    """Cut the bars at random times and look for look-ahead.

    Makes every table, fit, score and seal again from the bars up to each time, and compares every value with what all
    bars give. Changes nothing. Exits 1 and names layer, row and column if any value differs.
    """
    from edgebook.audit.audit import audit as look_for_leaks

    params, paths = settings(), here()
    quiet = not sys.stderr.isatty()
    with click.progressbar(length=times, label="cutting the bars", file=sys.stderr, hidden=quiet) as shown:
        found = look_for_leaks(params, paths, times=times, seed=seed, tell=lambda _done, _all: shown.update(1))
    views.show(found.to_json(), views.audit, as_json=as_json)
    if found.leaks:
        ctx.exit(1)


WEEK_COMMANDS = (run, daily, weekly, advance, backfill, rederive, audit)
"""In the order in which a week meets them."""
