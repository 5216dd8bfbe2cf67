from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accordeur.report import build_report
from tests.report.fake import fake_out


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that no test may change."""
    return fake_out(tmp_path_factory.mktemp("report") / "workshop", rows=160, price_per_hour=0.9)


@pytest.fixture(scope="session")
def report(out: Path) -> dict[str, Any]:
    """Its report."""
    return build_report(out)
