from __future__ import annotations

import numpy as np
import pytest

from accordeur.measure.cost import Meter, folder_bytes, reset_peak

MEGABYTE = 1_000_000


@pytest.mark.skipif(not reset_peak(), reason="this system can't reset the high-water mark of a process")
def test_the_peak_is_that_of_this_work_and_not_of_the_past():
    large = np.ones(40_000_000)  # 320 MB, gone before the work begins
    assert large.sum() > 0
    del large
    small = Meter().start().stop()
    meter = Meter().start()
    block = np.ones(25_000_000)  # 200 MB
    assert block.sum() > 0
    meter.stop()
    assert meter.peak_bytes - small.peak_bytes > 150 * MEGABYTE
    assert Meter().start().stop().peak_bytes < meter.peak_bytes + 10 * MEGABYTE


def test_clocks_go_forward():
    meter = Meter().start()
    sum(range(300_000))
    meter.stop()
    assert meter.seconds > 0
    assert meter.cpu_seconds >= 0


def test_the_bytes_of_a_folder(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"678")
    assert folder_bytes(tmp_path) == 8
