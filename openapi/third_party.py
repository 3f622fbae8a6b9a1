"""Show that tools of others read the document: `python openapi/third_party.py [FOLDER]` (needs npm and the network).

Spectral's OpenAPI ruleset must find nothing; the clients that openapi-typescript and openapi-python-client generate
must compile and import, under `tsc --strict` and `mypy`. The tools are installed in FOLDER, by default a temporary one.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

DOCUMENT = Path(__file__).with_name("openapi.json")
NODE_TOOLS = (
    "@stoplight/spectral-cli@6.16.3",
    "openapi-typescript@7.13.0",
    "openapi-fetch@0.17.0",
    "typescript@5.9.3",
)
PYTHON_TOOLS = ("openapi-python-client==0.29.1", "mypy", "httpx", "attrs", "python-dateutil", "types-python-dateutil")
USE = """\
import createClient from "openapi-fetch";
import type { components, paths } from "./schema";

const client = createClient<paths>({ baseUrl: "http://127.0.0.1:8321" });

export async function next(loop: string): Promise<components["schemas"]["Answer"]> {
  const { data, error } = await client.GET("/v1/loops/{loop}/next", { params: { path: { loop } } });
  if (error) throw new Error(`${error.code}: ${error.detail}`);
  if (typeof data === "string") throw new Error("markdown was not asked for");
  return data;
}
"""
IMPORT_ALL = """\
import importlib, pkgutil, generated
for each in pkgutil.walk_packages(generated.__path__, "generated."):
    importlib.import_module(each.name)
"""


class Failed(RuntimeError):
    """A tool found fault; the message is what it said."""


def run(folder: Path, *command: str) -> str:
    """A command's output; raises Failed with it when the command fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def install(folder: Path) -> Path:
    """Install the tools; returns the folder of the Python ones."""
    (folder / "package.json").write_text('{"private": true}')
    run(folder, "npm", "install", "--silent", "--no-audit", "--no-fund", *NODE_TOOLS)
    if not (folder / "venv").exists():
        venv.create(folder / "venv", with_pip=True)
    run(folder, "venv/bin/python", "-m", "pip", "install", "--quiet", *PYTHON_TOOLS)
    return folder / "venv" / "bin"


def spectral(folder: Path) -> str:
    (folder / "ruleset.yaml").write_text('extends: ["spectral:oas"]\n')
    command = ("npx", "spectral", "lint", "--ruleset", "ruleset.yaml", "--format", "json", "--quiet", str(DOCUMENT))
    found = json.loads(run(folder, *command) or "[]")
    if found:
        raise Failed("\n".join(f"{each['code']}: {each['message']}" for each in found))
    return "0 findings"


def typescript(folder: Path) -> str:
    run(folder, "npx", "openapi-typescript", str(DOCUMENT), "--output", "schema.ts")
    (folder / "use.ts").write_text(USE)
    flags = ("--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--moduleResolution", "bundler")
    run(folder, "npx", "tsc", *flags, "--module", "es2022", "use.ts")
    return f"{len((folder / 'schema.ts').read_text().splitlines())} lines, compiled with a caller"


def python(folder: Path, tools: Path) -> str:
    (folder / "config.yaml").write_text("package_name_override: generated\nproject_name_override: generated\n")
    said = run(
        folder,
        str(tools / "openapi-python-client"),
        "generate",
        "--path",
        str(DOCUMENT),
        "--config",
        "config.yaml",
        "--output-path",
        "generated",
        "--overwrite",
    )
    if "WARNING" in said.upper():
        raise Failed(said)
    run(folder / "generated", str(tools / "python"), "-c", IMPORT_ALL)
    run(folder, str(tools / "mypy"), "--check-untyped-defs", "generated/generated")
    modules = list((folder / "generated" / "generated").rglob("*.py"))
    wanted = sum(len(item) for item in json.loads(DOCUMENT.read_text(encoding="utf-8"))["paths"].values())
    made = [path for path in modules if "api" in path.parts and path.name != "__init__.py"]
    if len(made) != wanted:
        raise Failed(f"{len(made)} of {wanted} operations were generated\n{said}")
    return f"{len(modules)} modules, {wanted} operations, type-checked"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="where the tools are installed and kept")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder: Path = (chosen.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        tools = install(folder)
        checks = {
            "spectral": lambda: spectral(folder),
            "openapi-typescript": lambda: typescript(folder),
            "openapi-python-client": lambda: python(folder, tools),
        }
        failed = 0
        for name, check in checks.items():
            try:
                print(f"{name}: {check()}")
            except Failed as error:
                failed += 1
                print(f"{name} FAILED\n{error}")
        return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
