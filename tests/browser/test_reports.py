"""Every page as it is committed: it opens, asks for nothing, fits, and can be used by everybody."""

from __future__ import annotations

import pytest
from watched import DESK, PHONE, barriers, overflow, picture

from edgebook.paths import repository

REPORTS = repository() / "reports"
PAGES = sorted(REPORTS.rglob("*.html"))


def name_of(page) -> str:
    return "-".join(page.relative_to(REPORTS).with_suffix("").parts)


@pytest.mark.parametrize("file", PAGES, ids=name_of)
def test_a_committed_page_opens_fits_and_is_accessible(opened, file):
    for scheme in ("light", "dark"):
        one = opened(file, scheme=scheme)
        assert one.page.title()
        assert barriers(one.page) == []
        picture(one.page, f"{name_of(file)}-{DESK}-{scheme}")
        assert overflow(one.page) == []
        one.page.set_viewport_size({"width": PHONE, "height": 844})
        assert overflow(one.page) == []
        if scheme == "light":
            picture(one.page, f"{name_of(file)}-{PHONE}")
