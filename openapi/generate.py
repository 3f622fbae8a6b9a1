"""Write the SDK's generated files from `openapi.json`: `python openapi/generate.py`, or `--check` that they are fresh.

Models and parameters by datamodel-code-generator, resources by `aio.py.jinja`, the synchronous half from the
asynchronous one by token substitution. Same document, same bytes.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import jinja2
from sdk_models import model_source, parameter_source, resolved
from sdk_plan import plan
from sdk_sync import to_sync

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent / "sdk" / "whatnext"
BY_HAND = frozenset({"writer.py"})
"""Files of `_async` that are not translated: threads are no tasks."""
HEADER = "# Generated from openapi.json; do not edit.\n# ruff: noqa\n"


def generate(document: Path, package: Path) -> dict[str, str]:
    """The generated files' contents by their path within the package."""
    doc = resolved(json.loads(document.read_text(encoding="utf-8")))
    models = model_source(doc, HEADER)
    parameters = parameter_source(doc, HEADER)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    resources = plan(doc, models, parameters)
    aio = environment.get_template("aio.py.jinja").render(header=HEADER, resources=resources)
    files = {"models.py": models, "params.py": parameters, "aio.py": aio, "sync.py": to_sync(aio)}
    for path in sorted(set((package / "_async").glob("*.py")) - {package / "_async" / each for each in BY_HAND}):
        source = path.read_text(encoding="utf-8")
        files[f"_sync/{path.name}"] = to_sync(
            f"# Generated from _async/{path.name}; do not edit.\n# ruff: noqa\n" + source
        )
    return {name: _formatted(text, name) for name, text in sorted(files.items())}


def _formatted(source: str, name: str) -> str:
    """The source as ruff formats it."""
    style = ["--quiet", "--config", str(HERE.parent / "pyproject.toml"), "--stdin-filename", str(PACKAGE / name), "-"]
    tidy = _ruff(["check", "--exit-zero", "--select", "I,F401", "--ignore-noqa", "--fix", *style], source)
    return _ruff(["format", *style], tidy)


def _ruff(arguments: list[str], source: str) -> str:
    command = [str(Path(sys.executable).with_name("ruff")), *arguments]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"ruff: {done.stderr}")
    return done.stdout


def main() -> int:
    """Write the files, or with `--check` name those that are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--document", type=Path, default=HERE / "openapi.json")
    parser.add_argument("--package", type=Path, default=PACKAGE, help="where `_async` is, and where files are written")
    parser.add_argument("--out", type=Path, help="write elsewhere")
    parser.add_argument("--check", action="store_true")
    chosen = parser.parse_args()
    out: Path = chosen.out or chosen.package
    files = generate(chosen.document, chosen.package)
    left = {f"_sync/{path.name}" for path in (out / "_sync").glob("*.py") if path.name not in BY_HAND} - set(files)
    stale = [name for name, text in files.items() if not _holds(out / name, text)] + sorted(left)
    if chosen.check:
        print(f"stale: {', '.join(stale)}; run `python openapi/generate.py`" if stale else "the SDK is up to date")
        return 1 if stale else 0
    for name in stale:
        target = out / name
        if name in files:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(files[name], encoding="utf-8")
        else:
            target.unlink()
    return 0


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
