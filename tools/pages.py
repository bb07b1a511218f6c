"""Execute the starter lessons and write them as pages: `make run`.

Usage: tools/pages.py FOLDER [LESSON.ipynb...]
"""

import concurrent.futures
import os
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STARTERS = 4


def starters():
    lessons = tomllib.loads((ROOT / "notebooks/curriculum.toml").read_text())["lesson"]
    ready = [ROOT / "notebooks" / lesson["path"] for lesson in lessons if lesson["status"] == "ready"]
    return ready[:STARTERS]


def execute(notebook, folder):
    """Run one notebook in a fresh kernel and write the page; returns (page, seconds)."""
    import nbformat
    from nbclient import NotebookClient

    from distlab.lesson import page as to_page

    start = time.monotonic()
    os.environ["DISTLAB_BOOK"] = "1"  # nobody sits here: lessons show a sample guess
    page = folder / (notebook.stem + ".html")
    node = nbformat.read(notebook, as_version=4)
    NotebookClient(
        node, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(notebook.parent)}}
    ).execute()
    page.write_text(to_page(node))
    return page, time.monotonic() - start


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/pages")
    notebooks = [Path(p).resolve() for p in sys.argv[2:]] or starters()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"executing {len(notebooks)} lessons ...", flush=True)
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        for page, seconds in pool.map(execute, notebooks, [folder] * len(notebooks)):
            print(f"  {page}  ({seconds:.0f} s)")
    print(
        "\nOpen a page in a browser, or go on with\n"
        "  make lab                           the lessons in JupyterLab, live\n"
        "  .venv/bin/python -m distlab list   every model\n"
        "  make test                          everything that is checked"
    )


if __name__ == "__main__":
    main()
