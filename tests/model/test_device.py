"""A device and a precision are honoured or refused by name, and what computed is said."""

from __future__ import annotations

import pytest
import torch
import transformers

from crosswind.errors import UserError
from crosswind.model.device import cpu_model, hardware_facts, has_bf16, has_cuda, torch_device
from crosswind.model.memory import names_memory

CPU = torch.device("cpu")


def test_the_cpu_computes_in_fp32_everywhere() -> None:
    assert torch_device("cpu", "fp32") == CPU


@pytest.mark.skipif(has_cuda(), reason="this machine has a GPU")
def test_cuda_is_refused_where_there_is_none_and_the_error_says_what_there_is() -> None:
    with pytest.raises(UserError, match=r"cannot compute on cuda: it has \d+ cores .* and no GPU"):
        torch_device("cuda", "fp32")


def test_bf16_on_a_cpu_is_honoured_exactly_where_the_hardware_has_it() -> None:
    if has_bf16(CPU):
        assert torch_device("cpu", "bf16") == CPU
    else:
        with pytest.raises(UserError, match=r"cannot compute in bf16 on cpu: .*without bf16"):
            torch_device("cpu", "bf16")


@pytest.mark.parametrize(("name", "precision", "message"), [("tpu", "fp32", "device 'tpu'"), ("cpu", "fp8", "'fp8'")])
def test_other_names_are_refused(name: str, precision: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        torch_device(name, precision)


def test_the_hardware_of_a_result_names_processor_and_versions() -> None:
    facts = hardware_facts(CPU)
    assert facts["device"] == "cpu"
    assert facts["cpu"] == cpu_model() != ""
    assert (facts["torch"], facts["transformers"]) == (torch.__version__, transformers.__version__)
    assert "gpu" not in facts


def test_a_failed_allocation_of_torch_is_an_error_that_names_it() -> None:
    with (
        pytest.raises(UserError, match="out of memory while computing a very large thing") as raised,
        names_memory("a very large thing", where="here", hint="lower it"),
    ):
        torch.empty(1 << 60)
    assert (raised.value.where, raised.value.hint) == ("here", "lower it")


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="shape"), names_memory("x", where="here", hint="lower it"):
        torch.zeros(3).reshape(2)
