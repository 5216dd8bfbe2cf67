"""Two processes, as `torchrun` starts them: the gradient, loss and tokens of one, and a resumed training ends like another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accordeur.errors import EnvironmentFault
from accordeur.training.processes import ALONE, Processes, check_cards

SCRIPT = """
import sys
from pathlib import Path

import torch

from accordeur.errors import Interrupted
from accordeur.training import step
from accordeur.training.loop import train
from accordeur.training.network import Network
from accordeur.training.processes import ALONE, launched
from tests.training import tiny

PARTS = [[0, 1, 2], [3, 4], [5], [6, 7, 8]]


def gradient(processes):
    network = Network(tiny.gpt2(), "causal").double()
    feed = step.Feed(items=tiny.causal_rows(9), device=tiny.CPU, pad=tiny.PAD, processes=processes)
    loss, tokens = step.accumulate(network, feed, PARTS)
    return loss, tokens, torch.cat([one.grad.flatten() for one in network.parameters() if one.grad is not None])


def trained(processes, folder, stop_at=99):
    network = Network(tiny.gpt2(dropout=0.2), "causal")
    steps = iter(range(1, 99))
    lent = tiny.lent(folder, processes=processes, stop=lambda: next(steps) >= stop_at)
    done = train(network, tiny.causal_rows(24), tiny.settings(), tiny.plan(6), lent)
    return done, torch.cat([one.detach().flatten() for one in network.parameters()])


with launched() as processes:
    assert processes.count == 2
    alone, together = gradient(ALONE), gradient(processes)
    assert abs(alone[0] - together[0]) < 1e-10 and alone[1] == together[1], (alone[:2], together[:2])
    torch.testing.assert_close(together[2], alone[2], rtol=1e-9, atol=1e-12)
    folder = Path(sys.argv[1])
    whole, expected = trained(processes, folder / "whole")
    try:
        trained(processes, folder / "parts", stop_at=3)
        raise SystemExit("nothing stopped it")
    except Interrupted:
        pass
    parts, found = trained(processes, folder / "parts")
    assert torch.equal(found, expected) and parts.tokens == whole.tokens
    (folder / f"content-{processes.rank}").touch()  # under torchrun, what two processes print mixes within a line
"""


def test_two_processes_make_what_one_makes_and_go_on_after_a_stop(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(script), str(tmp_path)]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(file.name for file in tmp_path.glob("content-*")) == ["content-0", "content-1"]


def test_processes_never_share_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    for enough in (0, 4, 5):
        check_cards(enough)
    with pytest.raises(EnvironmentFault, match="4 processes were started here, where there is 1 GPU") as fault:
        check_cards(1)
    assert "--num_processes 1" in str(fault.value.hint)


def test_shares_are_disjoint_and_whole() -> None:
    rows = list(range(11))
    shares = [Processes(rank=rank, count=3).share(rows) for rank in range(3)]
    assert sorted(row for share in shares for row in share) == rows
    assert ALONE.share(rows) == rows and ALONE.first and ALONE.agreed(0.5) == 0.5
