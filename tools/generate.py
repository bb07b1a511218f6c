"""Writes the files that are derived from descriptors and headers; `--check` says which of them are stale.

    csrc/include/distlab/models.h    structs and enumerations of every model, for plain C
    python/distlab/__init__.pyi      typed signatures of every model and of the public functions
    docs/reference/models.md         parameters, metrics, outputs and planted bugs of every model
    docs/reference/c_api.md          public functions of the C library, from the comments of its headers

Nothing here is written per model. Run by `make generate`; the tests run it with `--check`.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIFF_MAX = 60  # lines of a diff that are printed


def targets() -> dict[str, str]:
    """Path in the repository -> text, of every derived file."""
    import generate_c_api
    import generate_header
    import generate_reference
    import generate_stubs
    from distlab import _core

    models = [_core.describe(name) for name in sorted(_core.models())]
    return {
        "csrc/include/distlab/models.h": generate_header.text(models),
        "python/distlab/__init__.pyi": generate_stubs.text(models),
        "docs/reference/models.md": generate_reference.text(models),
        "docs/reference/c_api.md": generate_c_api.text(ROOT / "csrc/include/distlab"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the files derived from the models' descriptors.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 with the diff if one is stale"
    )
    check = parser.parse_args().check
    stale = []
    for name, text in targets().items():
        path = ROOT / name
        old = path.read_text() if path.exists() else ""
        if old == text:
            continue
        stale.append(name)
        if check:
            diff = difflib.unified_diff(
                old.splitlines(),
                text.splitlines(),
                f"{name} (in the tree)",
                f"{name} (from the descriptors)",
                lineterm="",
            )
            print("\n".join(list(diff)[:DIFF_MAX]))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {name}")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run `make generate`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    sys.exit(main())
