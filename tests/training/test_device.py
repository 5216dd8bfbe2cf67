from __future__ import annotations

from pathlib import Path

import pytest
import torch

from accordeur.errors import EnvironmentFault
from accordeur.plan import DevicePlan
from accordeur.training import device, processor
from accordeur.training.device import budget_tokens, plan_device, precision, scoring_precision, threads


def flags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(processor, "CPU_FLAGS", tmp_path / "cpuinfo")


def test_half_precision_only_where_the_processor_has_it_and_a_trial_shows_a_gain(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processor, "half_gain", lambda cores: 2.4)
    flags(monkeypatch, tmp_path, "flags : fpu avx2 avx512f\n")
    assert plan_device("cpu").dtype == "float32" and "emulated" in plan_device("cpu").reason
    flags(monkeypatch, tmp_path, "processor : 0\nflags : fpu avx512f avx512_bf16\n")
    half = plan_device("cpu")
    assert (half.dtype, half.scoring_dtype) == ("bfloat16", "float32") and "2.4x" in half.reason
    monkeypatch.setattr(processor, "half_gain", lambda cores: 1.1)
    assert plan_device("cpu").dtype == "float32" and "1.1x" in plan_device("cpu").reason
    monkeypatch.setattr(processor, "CPU_FLAGS", tmp_path / "absent")
    assert plan_device("cpu").dtype == "float32"


def test_the_trial_of_precisions_gives_a_ratio_and_leaves_the_threads_alone() -> None:
    before = torch.get_num_threads()
    assert 0.01 < processor.half_gain(1) < 100
    assert torch.get_num_threads() == before


def test_the_other_library_is_used_only_where_it_is_exact_and_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_float32_matmul_precision()
    processor.onednn_gain.cache_clear()
    assert 0 <= processor.onednn_gain(1) < 100
    assert torch.get_float32_matmul_precision() == before
    for gain, used in ((0.0, False), (1.0, False), (1.2, True)):
        monkeypatch.setattr(device, "onednn_gain", lambda cores, gain=gain: gain)
        plan = plan_device("cpu")
        assert plan.onednn is used and ("oneDNN" in plan.reason) is used
        with threads(plan):
            assert torch.get_float32_matmul_precision() == ("medium" if used else before)
            left, right = torch.randn(64, 256), torch.randn(256, 64)
            exact = left.double() @ right.double()
            if used and processor.onednn_gain(1) > 0:
                torch.testing.assert_close((left @ right).double(), exact, rtol=0, atol=float(exact.abs().max()) * 2e-6)
        assert torch.get_float32_matmul_precision() == before


def test_what_is_asked_for_is_taken() -> None:
    plan = plan_device("cpu", threads=3, micro_tokens=123, dtype="float16")
    assert (plan.device, plan.threads, plan.micro_tokens, plan.dtype, plan.scoring_dtype) == ("cpu", 3, 123, "float16", "float32")
    assert "\n" not in plan.reason and "3 threads" in plan.reason
    assert plan.reason.endswith("as asked: device cpu, threads 3, dtype float16, micro_tokens 123")
    assert "training in float16;" in plan.reason and "scoring in" not in plan.reason  # no trial of what was decided
    assert "as asked" not in plan_device().reason


def test_a_numbered_processor_is_planned_as_one() -> None:
    numbered = plan_device("cpu:0", threads=1, dtype="float32")
    assert (numbered.device, numbered.micro_tokens) == ("cpu", plan_device("cpu", threads=1, dtype="float32").micro_tokens)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(EnvironmentFault, match="isn't available here; found: cpu"):
        plan_device("mps" if not torch.backends.mps.is_available() else "xpu")


def test_the_token_budget_is_a_power_of_two_within_its_bounds() -> None:
    assert budget_tokens(0, smallest=256, largest=2048) == 256
    assert budget_tokens(8_000_000_000, smallest=256, largest=2048) == 512
    assert budget_tokens(10**13, smallest=256, largest=2048) == 2048


def test_float32_is_left_alone_and_half_precision_is_a_context() -> None:
    with precision(DevicePlan()):
        assert not torch.is_autocast_enabled("cpu")
    half = DevicePlan(dtype="bfloat16")
    with precision(half):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with scoring_precision(half):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_threads_are_set_and_put_back() -> None:
    before = torch.get_num_threads()
    with threads(DevicePlan(threads=before + 1)):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("units", "dtype", "scoring"), [(True, "bfloat16", "bfloat16"), (False, "float16", "float32")])
def test_a_card_trains_in_the_half_precision_that_it_has(
    units: bool, dtype: str, scoring: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: units)
    monkeypatch.setattr(device, "free_bytes", lambda name: 16 * 2**30)
    plan = device.plan_accelerator("cuda", 1)
    assert (plan.dtype, plan.scoring_dtype, plan.packed) == (dtype, scoring, True)
    assert plan.micro_tokens == 8192  # of 1 MB each in half of 16 GiB, as a power of two
