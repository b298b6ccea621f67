"""An example of a folder of bars: a small market with a known truth, in files as a desk would bring them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgebook.bars.bars import PRICES
from edgebook.errors import DataError
from edgebook.folder.folder_contents import ending

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_PAIRS, _WEEKS, _SEED, _START = 3, 92, 11, "2017-10-02"
_README = """# An example of bars of your own

Three synthetic symbols, hourly, {first} to {last}, with an edge planted in heads A, B and F. `edgebook data sample`
wrote them, each as another desk would bring it:

| file | form |
|---|---|
| `S01-USD_1h.csv` | the strict form: `date` is when the bar closed, in UTC |
| `S02_USD-1h.csv.gz` | as freqtrade names it: `date` is when the bar opened; packed |
| `S03-USD_1h.parquet` | the strict form as Parquet |

To run on them, set in `params.yaml`:

```yaml
run:
  history: example
bars:
  source: folder
  folder: {folder}
```

Then `edgebook data check` tells how they were read, and `make` runs the week. Replace them with files of your own:
docs/howto/use-your-own-bars.md.
"""


def write_sample(folder: Path, *, named: str) -> list[str]:
    """Write the example.

    Parameters
    ----------
    folder : Path
        Made when it is not there; what lies in it is left alone.
    named : str
        How params.yaml would name it.

    Returns
    -------
    list of str
        Names of the files.

    Raises
    ------
    DataError
        The folder holds bars, or a file of the example, already; nothing is written.
    """
    from edgebook.bars.synthetic import make_market

    names = ["S01-USD_1h.csv", "S02_USD-1h.csv.gz", "S03-USD_1h.parquet", "EXAMPLE.md"]
    there = sorted(p.name for p in folder.rglob("*") if ending(p.name) or p.name in names) if folder.exists() else []
    if there:
        raise DataError(f"{named}: {there[0][:60]!a} is there; name a folder without bars, nothing was written")
    bars = make_market(kind="planted", pairs=_PAIRS, weeks=_WEEKS, seed=_SEED, start=_START).bars
    first, last = bars["date"].iloc[0], bars["date"].iloc[-1]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, (_, own) in zip(names, bars.groupby("pair"), strict=False):
            _write(own[["date", *PRICES, "volume"]].reset_index(drop=True), folder / name)
        text = _README.format(first=f"{first:%Y-%m-%d}", last=f"{last:%Y-%m-%d}", folder=named)
        (folder / names[-1]).write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{named}: could not be written ({error.strerror or error}); name another folder") from error
    return names


def _write(bars: pd.DataFrame, path: Path) -> None:
    """Write one symbol in the form that its name says; packed bytes hold no time, so that they are the same again."""
    import pandas as pd

    if path.suffix == ".parquet":
        bars.to_parquet(path, index=False)
        return
    by_open = path.suffix == ".gz"
    stamps = bars["date"] - pd.Timedelta(hours=1) if by_open else bars["date"]
    written = bars.assign(date=stamps.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    written.to_csv(path, index=False, compression={"method": "gzip", "mtime": 0} if by_open else None)
