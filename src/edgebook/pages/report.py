"""Pages of the reports: a notebook's page, and how files of a report are written.

Everything but the dashboard is static: own CSS in the page, no script, no address outside the reports. Pages are values
(text); writing them is `replace_together`, which leaves the last good files in place until the new ones are whole.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgebook.errors import NotebookError
from edgebook.files.whole_files import write_whole
from edgebook.pages.display import callout, formatted, interval, prose, table
from edgebook.pages.report_contents import CONTENTS, finished
from edgebook.pages.report_index import TEMPLATES, stylesheet

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ReportHeader",
    "callout",
    "formatted",
    "interval",
    "page",
    "prose",
    "replace_together",
    "table",
]


@dataclass(frozen=True)
class ReportHeader:
    """What a notebook's page says of itself above the notebook.

    Parameters
    ----------
    stage, title : str
        Name of the stage, and the report's title as in `links`.
    as_of : str
        The Monday that ends the week, ``2019-07-01``.
    market, history, champion : str
        Names; the champion with its version, ``r1@2019-07-01``.
    parameters_fingerprint, data_fingerprint : str
        Short hashes of the settings and the bars that the report rests on.
    links : tuple of (str, str)
        Title and relative address of each report of the week, this one included.
    """

    stage: str
    title: str
    as_of: str
    market: str
    history: str
    champion: str
    parameters_fingerprint: str
    data_fingerprint: str
    links: tuple[tuple[str, str], ...] = ()


def page(notebook: Any, *, header: ReportHeader) -> str:
    """Render an executed notebook as a page of the reports.

    Parameters
    ----------
    notebook : NotebookNode
        Executed and canonical. Its first Markdown cell, the question, becomes the page's headline.
    header : ReportHeader
        Week, market, versions, fingerprints, links.

    Returns
    -------
    str
        One self-contained page: code is behind closed details, the settings are a table, images are inline.
    """
    from nbconvert.exporters.html import HTMLExporter
    from nbformat import from_dict

    shown = from_dict(dict(notebook))
    opening = ""
    if shown.cells and shown.cells[0].cell_type == "markdown" and shown.cells[0].source.startswith("# "):
        opening = shown.cells.pop(0).source
    for cell in shown.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "execute_result":  # shown alike; the template then has one branch
                output.output_type = "display_data"
                output.pop("execution_count", None)
    injected = [c for c in shown.cells if "injected-parameters" in c.metadata.get("tags", [])]
    given = injected or [c for c in shown.cells if "parameters" in c.metadata.get("tags", [])]
    dressed = {
        "header": header,
        "css": stylesheet(),
        "opening": opening or f"# {header.title}",
        "injected": bool(injected),
        "settings": _settings(given[0].source) if given else "",
        "contents": CONTENTS,
    }
    exporter = HTMLExporter(
        template_file=str(TEMPLATES / "notebook.html.j2"),
        exclude_anchor_links=True,
        default_preprocessors=[],
    )
    body, _ = exporter.from_notebook_node(shown, resources={"edgebook": dressed})
    return _offline(finished(str(body))).rstrip("\n") + "\n"


def _settings(source: str) -> str:
    """Turn the parameter cell into a table: section, setting, value."""
    import ast
    import html

    rows: list[tuple[str, str, Any]] = []
    for statement in ast.parse(source).body:
        if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
            continue
        name = statement.targets[0].id
        try:
            value = ast.literal_eval(statement.value)
        except ValueError:
            value = ast.unparse(statement.value)
        rows += [(name, key, one) for key, one in value.items()] if isinstance(value, dict) else [("", name, value)]
    lines, last = [], ""
    for section, key, value in rows:
        first = section if section != last else ""
        cells = "".join(f"<td>{html.escape(str(text))}</td>" for text in (key, value))
        lines.append(f'<tr><th scope="row">{html.escape(first)}</th>{cells}</tr>')
        last = section
    head = "<thead><tr><th>Section</th><th>Setting</th><th>Value</th></tr></thead>"
    body = "\n".join(lines)
    box = '<div class="wide" tabindex="0" role="group" aria-label="Settings">'
    return f"{box}<table>{head}<tbody>\n{body}\n</tbody></table></div>"


def _offline(text: str) -> str:
    """Unwrap links that leave the reports: their words stay."""
    return re.sub(r'<a\b[^>]*\bhref="(?:[a-z]+:)?//[^"]*"[^>]*>(.*?)</a>', r"\1", text, flags=re.DOTALL | re.IGNORECASE)


def replace_together(files: Mapping[Path, str]) -> None:
    """Write several text files so that none is replaced before all are whole on the disk.

    Parameters
    ----------
    files : mapping of Path to str
        Missing folders are made.

    Raises
    ------
    NotebookError
        The disk did not take one of them; all earlier files are still in place.
    """
    try:
        write_whole(files)
    except OSError as error:
        reason = error.strerror or error
        raise NotebookError(
            f"{error.filename}: could not be written ({reason}); the last good report is kept"
        ) from error
