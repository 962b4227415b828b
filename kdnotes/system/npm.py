"""npm, for the few parts of the course that run on JavaScript."""

import shutil
import subprocess
from pathlib import Path


def run(folder: Path, *arguments: str) -> str:
    """Runs npm in a folder, without the scripts of packages.

    Args:
        folder: Where it runs.
        arguments: Those of npm, such as "install" and names of packages.

    Returns:
        Why it failed, or "".
    """
    npm = shutil.which("npm")  # with its path: on Windows it is a script
    if not npm:
        return "npm is not here"
    silent = ["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts"]
    done = subprocess.run(
        [npm, *arguments, *silent],
        cwd=folder, capture_output=True, check=False, encoding="utf-8", errors="replace",
    )  # fmt: skip
    if not done.returncode:
        return ""
    return f"npm failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"


def locked(package: Path, folder: Path) -> str:
    """Installs the packages of a `package-lock.json` into a folder, unless they are there.

    Args:
        package: Folder of `package.json` and `package-lock.json`.
        folder: Where `node_modules` goes.

    Returns:
        Why it failed, or "".
    """
    lock = package / "package-lock.json"
    done = folder / "node_modules" / ".package-lock.json"  # npm writes it last
    if done.exists() and (folder / lock.name).read_bytes() == lock.read_bytes():
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", lock.name):
        shutil.copyfile(package / name, folder / name)
    return run(folder, "ci")
