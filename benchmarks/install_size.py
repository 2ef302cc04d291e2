"""How much disk the base install takes: a fresh virtual environment without extras.

python benchmarks/install_size.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path


def size(folder: Path) -> float:
    """Megabytes (10^6 bytes) of the files under *folder*, links not followed."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()) / 1e6


def main() -> None:
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "venv"
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        empty = size(environment)
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", "-c", str(root / "constraints.txt"), str(root)]
        subprocess.run(pip, check=True)
        packages = environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        parts = {path.name: size(path) for path in packages.iterdir() if path.is_dir()}
        print(
            f"the environment {size(environment):.0f} MB, of which an empty one has {empty:.0f} MB; the largest parts:"
        )
        for name, megabytes in sorted(parts.items(), key=lambda item: -item[1])[:10]:
            print(f"{name:<28}{megabytes:>8.1f} MB")


if __name__ == "__main__":
    main()
