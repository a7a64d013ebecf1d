"""``tickwire kernels``: what the GPU's kernels take of a multiprocessor, told without a GPU."""

from __future__ import annotations

import dataclasses

import click

from gpu.compile_gate import ARCHITECTURES, KernelResources, check
from gpu.kernel import KernelSource, source_names
from orchestrator.cli.exits import ExitCode
from orchestrator.cli.output import Output, with_output

_COLUMNS = ("source", "kernel", "architecture", "registers", "shared", "stack", "spilled")


@click.command()
@with_output
def kernels(output: Output) -> None:
    """Compile every GPU kernel for every architecture with NVIDIA's compiler; no GPU is needed.

    Shared memory is static, in bytes per block; stack and spilled registers in bytes per thread. Ends with 1 if a
    kernel spills registers.
    """
    names = source_names()
    found: list[tuple[str, KernelResources]] = []
    with output.progress("compiling for the GPU", total=len(names) * len(ARCHITECTURES)) as progress:
        for name in names:
            for architecture in ARCHITECTURES:
                found += [(name, one) for one in check(KernelSource.named(name), architecture)]
                progress.advance(f"{name} for sm_{architecture}")
    output.table("kernels", _COLUMNS, [_row(name, one) for name, one in found], right=_COLUMNS[3:])
    spilling = [one for _, one in found if one.spills]
    output.emit(
        {"kernels": [{"source": name, **dataclasses.asdict(one)} for name, one in found], "spills": len(spilling)}
    )
    if spilling:
        raise click.exceptions.Exit(ExitCode.CHECK_FAILED)


def _row(name: str, one: KernelResources) -> tuple[object, ...]:
    spilled = one.spill_store_bytes + one.spill_load_bytes
    return name, one.kernel, f"sm_{one.architecture}", one.registers, one.shared_bytes, one.stack_bytes, spilled
