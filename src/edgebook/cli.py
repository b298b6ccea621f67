"""The command line. Exit 0: done; 1: failed, with one line that says what to do; 2: misused."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebook.errors import EdgebookError

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    from edgebook.errors import WeekError
    from edgebook.seals import sealed_weeks
    from edgebook.settings_file import next_monday, restore, set_week

    paths, params = _paths(), _params()
    now, following = params.run.as_of, next_monday(params.run.as_of)
    if now not in sealed_weeks(paths, params.run.history):
        raise WeekError(f"params.yaml: run.as_of {now} is not sealed yet; run `dvc repro` first")
    end = _source_end(params, paths)
    if end < following:
        raise WeekError(
            f"the data of {params.bars.source} end at {end} UTC; the week to {following} is not complete, "
            f"so {now} is the last that can be sealed"
        )
    before = set_week(paths.params, as_of=following, previous=now)
    click.echo(f"params.yaml: week {now} -> {following}")
    if no_repro:
        return
    code = _dvc("repro")
    if code != 0:
        restore(paths.params, before)
        raise WeekError(
            f"dvc repro failed in the week to {following}; params.yaml is back at {now}, earlier seals are intact"
        )


@cli.command()
@click.option("--until", metavar="MONDAY", help="Last week to seal; run.previous of params.yaml by default.")
def backfill(until: str | None) -> None:
    """Seal every week from genesis that is not sealed yet.

    Makes no reports. This is how a history begins; `dvc repro` does it by itself when a history is new.
    """
    from edgebook.history import backfill as fold
    from edgebook.params import monday
    from edgebook.progress import bar

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

    rows = list_versions(_week())
    if as_json:
        _print_json(rows)
        return
    _print_table(
        ["week", "champion", "challenger", "decision", "wealth", "events"],
        [
            [
                r["week"],
                r["champion"],
                r["challenger"] or "",
                r["decision"],
                _number(r["wealth"], 2),
                "; ".join(r["events"]),
            ]
            for r in rows
        ],
    )


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

    found = compare_versions(_week(), a, b=b)
    if as_json:
        _print_json(found)
        return
    click.echo(f"{found['a']}  against  {found['b']}\n")
    _print_table(["setting", found["a"], found["b"]], [[k, *map(str, v)] for k, v in found["settings"].items()])
    _print_table(
        ["threshold", found["a"], found["b"]],
        [[k, *(_threshold(t) for t in v)] for k, v in found["thresholds"].items()],
    )
    _print_table(
        ["head weight", found["a"], found["b"]],
        [
            [f"{regime} {letter}", *(_number(x, 3) for x in pair)]
            for regime, letters in found["head_weights"].items()
            for letter, pair in letters.items()
        ],
    )
    _print_table(
        ["coefficient", found["a"], found["b"]],
        [
            [f"{r['head']} {r['indicator']} {r['side']}", _number(r["a"], 4), _number(r["b"], 4)]
            for r in found["coefficients"]
        ],
    )
    for name, row in found["outcomes"].items():
        if name == "days":
            click.echo(f"outcomes of the recipes' own books on the {row} days on which both ran:")
        elif row["trades"] == 0:
            click.echo(f"  {name}: no trade")
        else:
            rate, mean = row["win_rate"], row["mean_r"]
            click.echo(
                f"  {name}: {row['trades']} trades, win rate {rate[0]:.1%} ({rate[1]:.1%} to {rate[2]:.1%}), "
                f"mean {mean[0]:+.3f} R ({mean[1]:+.3f} to {mean[2]:+.3f})"
            )


@cli.command()
def approve() -> None:
    """Approve the promotion that the gate recommends.

    With learning.approval: manual the gate only recommends. This records your approval in params.yaml; the challenger
    is promoted with the next week. Commit params.yaml.
    """
    from edgebook.errors import SealError
    from edgebook.settings_file import add_entry, next_monday

    week, paths = _week(), _paths()
    decision = week.seal.head["decision"]
    if decision["action"] != "recommend":
        raise SealError(
            f"{week.history} {week.as_of}: nothing waits for approval; the decision was '{decision['action']}'"
        )
    add_entry(paths.params, "approvals", entry={"week": next_monday(week.as_of), "recipe": decision["recipe"]})
    click.echo(f"{decision['recipe']} is approved; it takes over with `edgebook advance`")


@cli.command()
@click.argument("version")
@click.option("--reason", required=True, help="Why, for the record.")
def rollback(version: str, reason: str) -> None:
    """Make VERSION the champion by hand.

    A recipe (r1) goes on learning; a version (r1@2019-05-06) stays as it was. `edgebook signals` follows at once, the
    history with the next week; nothing sealed is touched. Commit params.yaml.
    """
    from edgebook.errors import SealError
    from edgebook.history import policy_of
    from edgebook.settings_file import add_entry, next_monday

    week, paths = _week(), _paths()
    if "@" in version:
        policy_of(paths, week.history, version)
    elif version not in week.seal.recipes:
        raise SealError(f"{version}: no such recipe in history {week.history}; `edgebook versions` lists them")
    following = next_monday(week.as_of)
    add_entry(paths.params, "pins", entry={"week": following, "version": version, "reason": reason})
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
    if as_json:
        _print_json(rows)
        return
    _print_table(
        ["pair", "bar", "date", "", "side", "confidence", "threshold", "heads", "entry ~", "stop", "target", "stake"],
        [
            [
                r["pair"],
                r["timeframe"],
                r["date"],
                "SIGNAL" if r["is_signal"] else "",
                r["side"],
                _number(r["confidence"], 3),
                f"{r['threshold']:.3f} {'certified' if r['certified'] else 'paper'}",
                r["heads_agreed"],
                f"{r['entry_reference']:g}",
                _number(r["stop_loss_abs"], 4),
                _number(r["take_profit_abs"], 4),
                _number(r["stake"], 0),
            ]
            for r in rows
        ],
    )
    number = sum(r["is_signal"] for r in rows)
    paper = sum(r["is_signal"] and not r["certified"] for r in rows)
    click.echo(
        f"{policy.version}: {number} signals on {len(rows)} newest bars, {paper} of them on paper. No financial advice."
    )


@cli.command()
@_as_json
def positions(as_json: bool) -> None:
    """Print what is open in the account."""
    from edgebook.live import open_positions

    rows = open_positions(_week())
    if as_json:
        _print_json(rows)
        return
    _print_table(
        ["signal", "opened", "entry", "last", "stop", "target", "stake", "profit"],
        [
            [
                r["signal_id"],
                r["open_date"],
                f"{r['open_rate']:g}",
                f"{r['last_rate']:g}",
                _number(r["stop_loss_abs"], 4),
                _number(r["take_profit_abs"], 4),
                _number(r["stake"], 0),
                f"{r['profit_abs']:+,.0f} ({r['profit_ratio']:+.2%})",
            ]
            for r in rows
        ],
    )
    click.echo(f"{len(rows)} open, {sum(r['profit_abs'] for r in rows):+,.0f} unrealised")


@cli.command()
@click.argument("signal_id")
@_as_json
def explain(signal_id: str, as_json: bool) -> None:
    """Say why SIGNAL_ID was a signal, and what became of it."""
    from edgebook.live import explain_signal

    found = explain_signal(_week(), signal_id)
    if as_json:
        _print_json(found)
        return
    mark = "certified" if found["certified"] else "paper"
    click.echo(f"{found['signal_id']}  by {found['policy']}")
    click.echo(f"regime {found['regime']}, pattern {found['pattern']}, base win rate {found['base_win_rate']:.1%}")
    click.echo(f"confidence {found['confidence']:.3f}, threshold {found['threshold']:.3f} ({mark})\n")
    _print_table(
        ["head", "evidence (log-odds)", "weight"],
        [[h["head"], f"{h['evidence']:+.3f}", f"{h['weight']:.3f}"] for h in found["heads"]],
    )
    _print_table(
        ["indicator that votes", "head", "value", "vote"],
        [[i["indicator"], i["head"], f"{i['value']:g}", f"{i['vote']:+d}"] for i in found["indicators"] if i["vote"]],
    )
    out = found["outcome"]
    if out["status"] == "open":
        click.echo("still open")
    else:
        earned = f"{out['profit_ratio']:+.2%}, {out['r_multiple']:+.2f} R"
        click.echo(f"closed {out['close_date']} by {out['exit_reason']}: {earned}")


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
    if as_json:
        _print_json([{"check": r.name, "ok": r.ok, "detail": r.detail} for r in rows])
    else:
        _print_table(["", "check", "detail"], [["ok" if r.ok else "WRONG", r.name, r.detail] for r in rows])
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


def _source_end(params: Params, paths: Paths) -> str:
    from edgebook.sources import source_end

    end = source_end(source=params.bars.source, folder=paths.root / params.bars.folder, synthetic=params.bars.synthetic)
    return f"{end:%Y-%m-%d %H:%M}"


def _dvc(*words: str) -> int:
    """Run DVC of this environment in the repository."""
    import subprocess

    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }
    return subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=_paths().root, env=environment, check=False
    ).returncode


def _print_json(data: Any) -> None:
    import json

    click.echo(json.dumps(data, indent=1, ensure_ascii=False, default=str))


def _print_table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as they need to be; nothing where there is no row."""
    if not rows:
        return
    widths = [max(len(str(row[i])) for row in [names, *rows]) for i in range(len(names))]
    for row in [names, *rows]:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    click.echo()


def _number(value: float | None, places: int) -> str:
    return "n/a" if value is None else f"{value:,.{places}f}"


def _threshold(row: dict[str, Any]) -> str:
    return f"{row['value']:.3f} {'certified' if row['certified'] else 'paper'}"
