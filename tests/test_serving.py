"""What `edgebook open` serves, to whom, and what it says when it cannot."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from click.testing import CliRunner

from edgebook.cli import cli
from edgebook.errors import BusyError, EdgebookError, SealError
from edgebook.files import tables
from edgebook.paths import Paths, repository
from edgebook.settings.loading import load_params
from edgebook.stages.serving import Pages, ReportsServer, file_below
from edgebook.stages.serving_pages import LedgerPages, week_to_open

if TYPE_CHECKING:
    from collections.abc import Iterator

WEEK = "2019-07-01"


@pytest.fixture
def reports(tmp_path) -> Path:
    """Reports of one week, a secret beside them, and a link that leads to it."""
    folder = tmp_path / "reports"
    (folder / WEEK).mkdir(parents=True)
    (folder / "index.html").write_text("<p>all weeks</p>", encoding="utf-8")
    (folder / WEEK / "index.html").write_text("<p>the file</p><script>let a = 1</script>", encoding="utf-8")
    (folder / WEEK / "summary.md").write_text("# summary", encoding="utf-8")
    (folder / WEEK / "plan.svg").write_text("<svg><script>1</script></svg>", encoding="utf-8")
    (folder / WEEK / "x.exe").write_bytes(b"MZ")
    (folder / ".hidden.html").write_text("secret", encoding="utf-8")
    (tmp_path / "params.yaml").write_text("secret", encoding="utf-8")
    (folder / WEEK / "link.html").symlink_to(tmp_path / "params.yaml")
    (folder / "out").symlink_to(tmp_path)
    return folder


class Made:
    """Stands for the dashboards and bars of a ledger."""

    def page(self, week: str) -> str | None:
        return f"<h1>all trades of {week}</h1>" if week == WEEK else None

    def bars(self, week: str, *, signal_id: str) -> dict[str, Any] | None:
        if signal_id == "damaged":
            raise SealError("models/main/2019-07-01/seal.json: is damaged; restore it")
        return {"signal_id": signal_id, "week": week} if signal_id == "<a>&b" else None


@contextmanager
def serving(reports: Path, pages: Pages | None = None) -> Iterator[ReportsServer]:
    with ReportsServer(reports, pages=pages, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(
    server: ReportsServer, path: str, *, method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of one request, the path sent as it stands."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=host is not None, skip_accept_encoding=True)
    if host is not None:
        connection.putheader("Host", host)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


def test_it_serves_the_reports_with_their_types(reports):
    kinds = {
        "/": "text/html; charset=utf-8",
        "/index.html": "text/html; charset=utf-8",
        f"/{WEEK}/": "text/html; charset=utf-8",
        f"/{WEEK}/summary.md": "text/plain; charset=utf-8",
        f"/{WEEK}/plan.svg": "image/svg+xml",
        f"/{WEEK}/x.exe": "application/octet-stream",
    }
    with serving(reports) as server:
        for path, kind in kinds.items():
            status, headers, _ = ask(server, path)
            assert (status, headers["Content-Type"]) == (200, kind), path
            assert headers["X-Content-Type-Options"] == "nosniff"
        assert ask(server, "/")[2] == "<p>all weeks</p>"
        assert ask(server, f"/{WEEK}/?x=1#y")[2].startswith("<p>the file</p>")


def test_a_folder_without_its_slash_leads_to_the_one_with_it(reports):
    with serving(reports) as server:
        status, headers, _ = ask(server, f"/{WEEK}")
    assert (status, headers["Location"]) == (301, f"/{WEEK}/")


def test_a_browser_that_wants_an_icon_gets_none_and_no_error(reports):
    with serving(reports) as server:
        assert ask(server, "/favicon.ico")[0] == 204


def test_the_dashboard_is_made_of_the_ledger_and_other_pages_are_files(reports):
    with serving(reports, Made()) as server:
        assert ask(server, f"/{WEEK}/")[2] == f"<h1>all trades of {WEEK}</h1>"
        assert ask(server, f"/{WEEK}/index.html")[2] == f"<h1>all trades of {WEEK}</h1>"
        assert ask(server, f"/{WEEK}/summary.md")[2] == "# summary"
        assert ask(server, "/")[2] == "<p>all weeks</p>"


def test_bars_of_a_trade_are_json(reports):
    with serving(reports, Made()) as server:
        status, headers, body = ask(server, f"/{WEEK}/bars?signal_id=%3Ca%3E%26b")
        assert (status, headers["Content-Type"]) == (200, "application/json; charset=utf-8")
        assert json.loads(body) == {"signal_id": "<a>&b", "week": WEEK}
        assert ask(server, f"/{WEEK}/bars?signal_id=other")[0] == 404
        assert ask(server, f"/{WEEK}/bars")[0] == 404


def test_an_error_that_has_a_remedy_comes_to_the_browser_as_its_line(reports):
    with serving(reports, Made()) as server:
        status, headers, body = ask(server, f"/{WEEK}/bars?signal_id=damaged")
    assert (status, headers["Content-Type"]) == (500, "text/plain; charset=utf-8")
    assert body == "models/main/2019-07-01/seal.json: is damaged; restore it\n"


@pytest.mark.parametrize(
    "path",
    [
        "/../params.yaml", "/%2e%2e/params.yaml", "/..%2fparams.yaml", f"/{WEEK}/../../params.yaml",
        "//etc/passwd", "/%2fetc/passwd", "/etc/passwd", "/..\\params.yaml", f"/{WEEK}/link.html", "/out/params.yaml",
        "/.hidden.html", "/nothing.html", f"/{WEEK}/%00", "/index.html/", "/" + "a" * 5000, "/out", "/out/",
    ],
)  # fmt: skip
def test_nothing_outside_the_reports_is_served(reports, path):
    with serving(reports) as server:
        status, _, body = ask(server, path)
    assert (status, body) == (404, "no such report\n")


def test_a_file_is_found_only_below_the_folder(reports):
    assert file_below(reports, f"/{WEEK}/index.html") == reports / WEEK / "index.html"
    assert file_below(reports, f"/{WEEK}/") == reports / WEEK / "index.html"
    assert file_below(reports, "") is None
    assert file_below(reports, "index.html") is None


@pytest.mark.parametrize(
    "host", ["elsewhere.example", "127.0.0.1", "localhost", "127.0.0.1.elsewhere.example:{port}", ""]
)
def test_another_name_is_not_answered(reports, host):
    """A page of elsewhere.example whose name turns into 127.0.0.1 still sends its own name as host."""
    with serving(reports, Made()) as server:
        for path in ("/", f"/{WEEK}/", f"/{WEEK}/bars?signal_id=x"):
            assert ask(server, path, host=host.format(port=server.server_port))[0] == 403
        for name in ("127.0.0.1", "localhost"):
            assert ask(server, "/", host=f"{name}:{server.server_port}")[0] == 200


def test_it_listens_on_this_machine_only(reports):
    with serving(reports) as server:
        assert server.socket.getsockname()[0] == "127.0.0.1"


def test_a_page_may_run_its_own_scripts_and_load_nothing(reports):
    with serving(reports) as server:
        policy = ask(server, f"/{WEEK}/")[1]["Content-Security-Policy"]
        directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert directives["default-src"] == "'none'"
        assert directives["connect-src"] == "'self'"
        assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives["script-src"])
        for path in ("/", f"/{WEEK}/plan.svg", "/nothing"):
            assert "script-src 'none'" in ask(server, path)[1]["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in ask(server, "/")[1]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_writes_nothing(reports, method):
    with serving(reports) as server:
        assert ask(server, "/index.html", method=method)[0] == 405


def test_head_tells_the_length_and_sends_nothing(reports):
    with serving(reports, Made()) as server:
        status, headers, body = ask(server, f"/{WEEK}/", method="HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(f"<h1>all trades of {WEEK}</h1>")), "")


def test_a_port_that_is_taken_is_one_line(reports):
    with serving(reports) as first, pytest.raises(BusyError, match=r"^port \d+: .*in use; .*`edgebook open --port 0`$"):
        ReportsServer(reports, port=first.server_port)


# --- the command


def written(paths: Paths, *weeks: str) -> None:
    for week in weeks:
        paths.report(as_of=week).mkdir(parents=True)
        (paths.report(as_of=week) / "index.html").write_text("<p>committed</p>", encoding="utf-8")


def test_the_newest_week_that_has_reports_is_opened_unless_one_is_named(tmp_path):
    paths = Paths(tmp_path)
    written(paths, "2019-06-24", "2019-07-01", "2019-06-17")
    assert week_to_open(paths, None) == "2019-07-01"
    assert week_to_open(paths, "2019-06-24") == "2019-06-24"


@pytest.mark.parametrize("week", ["2019-07-08", "../..", "", "today"])
def test_a_week_without_reports_is_one_line(tmp_path, week):
    paths = Paths(tmp_path)
    written(paths, "2019-06-24", "2019-07-01")
    with pytest.raises(EdgebookError) as error:
        week_to_open(paths, week)
    assert str(error.value) == f"reports/{week}: no such reports; there are 2019-06-24, 2019-07-01"


def test_no_reports_yet_is_one_line(tmp_path):
    with pytest.raises(EdgebookError, match=r"^reports: no week has reports yet; make them with `make`$"):
        week_to_open(Paths(tmp_path), None)


def test_misuse_exits_2(monkeypatch, tmp_path):
    monkeypatch.setenv("EDGEBOOK_ROOT", str(tmp_path))
    assert CliRunner().invoke(cli, ["open", "--port", "70000"]).exit_code == 2


# --- what is made of the ledger


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Paths:
    """The committed sample with a page that its week could have, to be changed."""
    root = tmp_path_factory.mktemp("sample")
    shutil.copytree(repository() / "data" / "sample", root, dirs_exist_ok=True)
    paths = Paths(root)
    written(paths, load_params(paths.params).run.as_of)
    return paths


def test_a_dashboard_is_made_once_and_again_when_the_ledger_changes(sample, monkeypatch):
    made = []

    def count(week, **how):
        made.append((week.as_of, how["newest"], how["served"]))
        return f"page {len(made)}"

    monkeypatch.setattr("edgebook.dashboard.week_dashboard.week_dashboard", count)
    pages = LedgerPages(sample, load_params(sample.params))
    assert [pages.page("2018-06-04") for _ in range(3)] == ["page 1"] * 3
    assert pages.page("2018-05-28") == "page 2"
    file = sample.ledger(history="main", as_of="2018-05-28")
    os.utime(file, ns=(1, 1))
    assert pages.page("2018-05-28") == "page 3"
    assert pages.page("2018-06-04") == "page 4"
    os.utime(sample.ledger(history="main", as_of="2018-06-04"), ns=(1, 1))
    assert pages.page("2018-05-28") == "page 3", "what came later is not in it"
    assert made[0] == ("2018-06-04", None, True)


def test_bars_of_a_trade_are_those_of_the_table_at_full_precision(sample):
    pages = LedgerPages(sample, load_params(sample.params))
    trade = pd.read_csv(sample.ledger(history="main", as_of="2018-05-28")).iloc[0]
    found = pages.bars("2018-06-04", signal_id=trade["signal_id"])
    assert found is not None
    bars = tables.read(sample.bars)
    own = bars[(bars["pair"] == trade["pair"]) & (bars["timeframe"] == trade["timeframe"])].set_index("date")
    times = pd.to_datetime(pd.Series(found["minutes"]) * 60, unit="s", utc=True)
    for name in ("open", "high", "low", "close"):
        assert found[name] == own.loc[times, name].tolist()
    assert own.loc[times.iloc[found["entry"]], "open"] == pytest.approx(trade["open_rate"], rel=1e-3)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_bars_after_the_week_are_not_shown(sample):
    pages = LedgerPages(sample, load_params(sample.params))
    ledger = pd.read_csv(sample.ledger(history="main", as_of="2018-05-28"))
    last = ledger.sort_values("open_date")["signal_id"].iloc[-1]
    early, late = (pages.bars(week, signal_id=last) for week in ("2018-05-28", "2018-06-04"))
    assert early is not None
    assert late is not None
    monday = pd.Timestamp("2018-05-28", tz="UTC").timestamp() / 60
    assert max(early["minutes"]) <= monday < max(late["minutes"])


def test_what_is_not_in_the_ledger_has_no_bars_and_what_is_not_sealed_no_page(sample):
    pages = LedgerPages(sample, load_params(sample.params))
    assert pages.bars("2018-06-04", signal_id="nothing") is None
    assert pages.bars("2018-06-11", signal_id="nothing") is None
    assert pages.page("2018-06-11") is None
    assert pages.page("../../etc") is None


def test_open_serves_until_it_is_interrupted(sample):
    """The one run in a process of its own: address, page, Ctrl-C."""
    start = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from edgebook.cli import main; main()"
    )
    program = [sys.executable, "-c", start, "open", "--no-browser", "--port", "0"]
    here = {**os.environ, "EDGEBOOK_ROOT": str(sample.root), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(program, env=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        match = re.fullmatch(r"(http://127\.0\.0\.1:\d+/2018-06-04/) \(Ctrl-C stops\)\n", line)
        assert match is not None, line
        with urllib.request.urlopen(match[1], timeout=10) as answer:
            text = answer.read().decode()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=10)
    assert '"served":true' in text
    assert (running.returncode, out) == (0, "")
    assert err.splitlines()[-1] == "stopped"
    assert "Traceback" not in err
