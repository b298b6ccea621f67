"""The canonical form of an executed notebook: what every run on every machine writes alike."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def canonical(notebook: Any, *, stage: str, root: Path) -> Any:
    """Return `notebook` with nothing in it that another run or another machine would write differently.

    Parameters
    ----------
    notebook : NotebookNode
        Executed.
    stage : str
        Cells are named ``<stage>-00``, ``<stage>-01``, …
    root : Path
        The repository; its path becomes ``.`` wherever it is printed.

    Returns
    -------
    NotebookNode
        A new one: kernelspec, title, language and tags are kept, all other metadata goes; object addresses, kernel
        paths and folders of this machine are taken out of the text outputs.
    """
    from nbformat import from_dict

    new = from_dict(dict(notebook))
    title = notebook.metadata.get("title")
    new.metadata = from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        | ({"title": title} if title else {})
    )
    new.nbformat, new.nbformat_minor = 4, 5
    for index, cell in enumerate(new.cells):
        tags = cell.metadata.get("tags", [])
        cell.metadata = from_dict({"tags": sorted(tags)} if tags else {})
        cell["id"] = f"{stage}-{index:02d}"
        cell.pop("attachments", None)
        for output in cell.get("outputs", []):
            _canonical_output(output, root=root)
    return new


def notebook_text(notebook: Any) -> str:
    """Return the text that a notebook file holds: sorted keys, one space, a last newline."""
    import nbformat

    return str(nbformat.writes(notebook)).rstrip("\n") + "\n"


def neat_injection(notebook: Any, *, parameters: Mapping[str, Any]) -> None:
    """Write the injected cell as one would by hand, in place: one name a line, whether or not black is installed.

    Parameters
    ----------
    notebook : NotebookNode
        Executed; the cell tagged ``injected-parameters`` is rewritten.
    parameters : mapping
        What was injected.
    """
    from pprint import pformat

    for cell in notebook.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            lines = [f"{name} = {pformat(value, width=100, sort_dicts=False)}" for name, value in parameters.items()]
            cell.source = "\n".join(["# Parameters of this run", *lines])


def _canonical_output(output: Any, *, root: Path) -> None:
    if "metadata" in output:
        output.metadata = {}
    if "text" in output:
        output.text = _canonical_text(output.text, root=root)
    for mime in list(output.get("data", {})):
        if mime.startswith("text/"):
            output.data[mime] = _canonical_text(output.data[mime], root=root)
        elif mime.startswith("image/") and not mime.endswith("xml"):
            output.data[mime] = output.data[mime].replace("\n", "")
    if "traceback" in output:
        output.traceback = [_canonical_text(line, root=root) for line in output.traceback]


def _canonical_text(text: str, *, root: Path) -> str:
    """Take kernel paths, folders of this machine and object addresses out of `text`."""
    text = re.sub(r"\S*ipykernel_\d+/\d+\.py", "<cell>", text)
    places = {str(root): ".", sys.prefix: "<environment>", sys.base_prefix: "<python>", str(Path.home()): "~"}
    for place in sorted(places, key=len, reverse=True):
        if len(place) > 4:  # "/usr" is somewhere in every text
            text = text.replace(place, places[place])
    return re.sub(r"\b0x[0-9a-fA-F]{6,}\b", "0x…", text)
