"""Trades in the shapes of other tools: the command that brings them in, and the part of export that writes them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgebook.commands.cli_options import as_json_option, here, settings
from edgebook.commands.cli_views import show
from edgebook.settings.desk_outcomes import Outcomes

if TYPE_CHECKING:
    from edgebook.paths import Paths
    from edgebook.seals.week import Week
    from edgebook.trade_files.imports import Tool
    from edgebook.trade_files.imports_backtesting import Stamps

TOOLS = ["freqtrade", "backtesting", "vectorbt"]
_MOST_LINES = 20


@click.command("import")
@click.argument("file", type=click.Path())
@click.option("--from", "tool", type=click.Choice(TOOLS), required=True, help="The tool that wrote it.")
@click.option("--until", help="Midnight UTC up to which the file speaks; by default the first after all it tells.")
@click.option("--timeframe", help="Of trades of which the file does not say it: 1m to 1d.")
@click.option("--pair", help="Of a table that does not name it: BTC/USD.")
@click.option("--exit-plan", help="Plan under which the desk traded: tp2.0_sl1.5_t24.")
@click.option(
    "--stamps",
    type=click.Choice(["open", "close", "exact"]),
    default="open",
    help="What the times of a backtesting.py or vectorbt table are: the opening of their bar, its close, or exact.",
)
@click.option("--skip-refused", is_flag=True, help="Import the others where some trades are refused.")
@as_json_option
def import_(
    file: str,
    tool: Tool,
    until: str | None,
    timeframe: str | None,
    pair: str | None,
    exit_plan: str | None,
    stamps: Stamps,
    skip_refused: bool,
    as_json: bool,
) -> None:
    """Import the trades of freqtrade, backtesting.py or vectorbt as recorded outcomes.

    FILE is freqtrade's database or a backtest's JSON or zip, or a table of trades as CSV or Parquet. What is new or
    changed goes into data/recorded; nothing that is there is rewritten, and FILE is only read. Importing a later copy
    adds what happened since. The loop learns from them with outcomes.source: files in params.yaml.
    """
    from edgebook.files.private_data import add_again, refuse_file_in_sight, refuse_seen
    from edgebook.trade_files.imports import RefusedTradesError, import_trades

    desk = settings().outcomes if here().params.is_file() else Outcomes()
    refuse_seen(here(), private=desk.private)
    refuse_file_in_sight(Path(file), paths=here(), private=desk.private)
    try:
        said = import_trades(
            Path(file), tool=tool, paths=here(), until=until, timeframe=timeframe, pair=pair, exit_plan=exit_plan,
            stamps=stamps, exit_words=desk.exit_words, skip_refused=skip_refused,
        )  # fmt: skip
    except RefusedTradesError as error:
        _tell(error.lines[1:])
        raise
    _tell([*said["refused"], *filter(None, [add_again(here(), ["recorded"])])])
    show(said, _view, as_json=as_json)


def export_as(week: Week, paths: Paths, *, tool: Tool, target: str | None) -> None:
    """Write a week's ledger as another tool's file."""
    from edgebook.files import tables
    from edgebook.trade_files.exports import write_trades

    if target is None:
        raise click.UsageError("--as: name the file with --to")
    bars = tables.read(paths.bars) if tool == "backtesting" else None
    number = write_trades(week.ledger, tool=tool, file=Path(target), bars=bars)
    click.echo(f"{number:,} trades of {week.history} up to {week.as_of} in {Path(target).name}, as {tool} has them")


def _tell(lines: list[str]) -> None:
    """Refused trades on standard error, a line each."""
    for line in lines[:_MOST_LINES]:
        click.echo(line, err=True)
    if len(lines) > _MOST_LINES:
        click.echo(f"and {len(lines) - _MOST_LINES:,} more", err=True)


def _view(said: dict[str, Any]) -> None:
    """What was imported."""
    lines = [f"{said['file']}: {said['trades']:,} trades up to {said['until']}, {said['open']:,} of them open"]
    if said["averaged"]:
        lines.append(f"{said['averaged']:,} of several entries or exits have average rates")
    if said["refused"]:
        lines.append(f"{len(said['refused']):,} were refused and left out")
    if said["pairs_without_bars"]:
        lines.append(f"no bars of {', '.join(said['pairs_without_bars'])}: nothing can be learned from those trades")
    for line in [*lines, said["added"]]:
        click.echo(line)
