"""The house: imports run downward, there are no cycles, and clocks and randomness have one seam each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "config": set[str](),
    "market": set[str](),
    "hdl": {"market", "config"},
    "gpu": {"market", "config"},
    "sim": {"market", "config"},
    "orchestrator": {"sim", "gpu", "hdl", "market", "config"},
}
EXCEPTIONS = {("sim.rtl", "hdl")}
CLOCK_SEAM = {"sim.clock", "orchestrator.clock"}
CLOCK_CALLS = {"time", "time_ns", "monotonic", "monotonic_ns", "now", "utcnow", "today"}
CLOCK_MODULES = {"time", "datetime"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for package in MAY_IMPORT for path in sorted((ROOT / package).rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}


def imported_modules(name: str) -> Iterator[str]:
    """Modules of ours that a module imports, at any depth of its code."""
    for node in ast.walk(TREES[name]):
        candidates: list[str] = []
        if isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            inside = [candidate for candidate in submodules if candidate in SOURCES]
            candidates = inside if len(inside) == len(submodules) else [node.module, *inside]
        elif isinstance(node, ast.ImportFrom) and node.level:
            pytest.fail(f"{name} line {node.lineno}: relative import; name the package")
        yield from (candidate for candidate in candidates if candidate.split(".")[0] in MAY_IMPORT)


@pytest.mark.parametrize("name", SOURCES)
def test_imports_run_downward(name: str) -> None:
    package = name.split(".")[0]
    for imported in imported_modules(name):
        target = imported.split(".")[0]
        allowed = target == package or target in MAY_IMPORT[package]
        excepted = any(name.startswith(source) and target == other for source, other in EXCEPTIONS)
        assert allowed or excepted, f"{name} imports {imported}: {package} may import {MAY_IMPORT[package]}"


def test_no_import_cycles() -> None:
    graph = {name: {m for m in imported_modules(name) if m in SOURCES and m != name} for name in SOURCES}
    visiting: list[str] = []
    done: set[str] = set()

    def visit(name: str) -> None:
        if name in visiting:
            pytest.fail("import cycle: " + " -> ".join([*visiting[visiting.index(name) :], name]))
        if name not in done:
            visiting.append(name)
            for imported in sorted(graph[name]):
                visit(imported)
            done.add(visiting.pop())

    for name in graph:
        visit(name)


@pytest.mark.parametrize("name", SOURCES)
def test_clocks_are_read_at_the_seam_only(name: str) -> None:
    if name in CLOCK_SEAM:
        return
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            owner_name = getattr(owner, "id", getattr(owner, "attr", ""))
            reads = node.func.attr in CLOCK_CALLS and owner_name in CLOCK_MODULES
            assert not reads, f"{name} line {node.lineno} reads a clock; use one of {sorted(CLOCK_SEAM)}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            pytest.fail(f"{name} line {node.lineno} imports from time; use one of {sorted(CLOCK_SEAM)}")


@pytest.mark.parametrize("name", SOURCES)
def test_randomness_is_seeded(name: str) -> None:
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            assert all(alias.name != "random" for alias in node.names), f"{name} line {node.lineno} imports random"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "default_rng":
            assert node.args or node.keywords, f"{name} line {node.lineno}: default_rng() without a seed"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_every_package_says_what_it_is(package: str) -> None:
    assert ast.get_docstring(TREES[package]), f"{package} has no module documentation"
