"""Build of the C core: the extension `distlab._core`, a static library with its headers for plain C users,
and the notebooks as package data. Everything else is in pyproject.toml.

Sources that did not change are not compiled again: every object has a list of the headers it read, and a
change of compiler flags (a sanitizer build, say) makes all of them stale.
"""
from __future__ import annotations

import fcntl
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
CSRC = Path("csrc")
HEADERS = CSRC / "include" / "distlab"
FLAGS = ["-std=gnu11", "-ffp-contract=off", "-fno-math-errno", "-fvisibility=hidden", "-pthread"]
NOTEBOOK_FILES = ("*.ipynb", "*.toml", "teach.md")


def version() -> str:
    text = (ROOT / HEADERS / "version.h").read_text(encoding="utf-8")
    found = re.search(r'#define DLAB_VERSION "([^"]+)"', text)
    if found is None:
        raise SystemExit("csrc/include/distlab/version.h does not define DLAB_VERSION")
    return found.group(1)


def optimisation() -> list[str]:
    """-O3 unless the environment asks for another level."""
    return [] if re.search(r"(^|\s)-O", os.environ.get("CFLAGS", "")) else ["-O3"]


def sources() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / CSRC).rglob("*.c"))


def is_stale(target: Path) -> bool:
    """Is the object older than anything it was made from? `x.d` next to `x.o` lists that."""
    listed = target.with_suffix(".d")
    if not target.exists() or not listed.exists():
        return True
    made = target.stat().st_mtime_ns
    inputs = listed.read_text(encoding="utf-8").replace("\\\n", " ").partition(":")[2].split()
    return any(not Path(name).exists() or Path(name).stat().st_mtime_ns >= made for name in inputs)


class BuildExtension(build_ext):
    """Compiles on all cores, archives the core without the binding, links the extension."""

    def run(self) -> None:
        Path("build").mkdir(exist_ok=True)
        with open("build/lock", "w", encoding="utf-8") as lock:  # two builds in one tree take turns
            fcntl.flock(lock, fcntl.LOCK_EX)
            super().run()

    def build_extension(self, ext: Extension) -> None:
        objects = self.compile_all(ext)
        self.archive([name for name in objects if f"{os.sep}binding{os.sep}" not in name])
        kept = ext.sources, ext.depends
        ext.sources, ext.depends, ext.extra_objects = [], objects, objects
        try:
            super().build_extension(ext)  # nothing is left but to link
        finally:
            (ext.sources, ext.depends), ext.extra_objects = kept, []

    def compile_all(self, ext: Extension) -> list[str]:
        flags = repr([self.compiler.compiler_so, ext.extra_compile_args, ext.include_dirs, ext.define_macros])
        stamp = Path(self.build_temp, "flags.txt")
        stamp.parent.mkdir(parents=True, exist_ok=True)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != flags:
            for old in stamp.parent.rglob("*.d"):
                old.unlink()
            stamp.write_text(flags, encoding="utf-8")
        with ThreadPoolExecutor(self.parallel or os.cpu_count() or 1) as pool:
            return list(pool.map(lambda source: self.compile_one(ext, source), ext.sources))

    def compile_one(self, ext: Extension, source: str) -> str:
        target = Path(self.compiler.object_filenames([source], output_dir=self.build_temp)[0])
        if self.force or is_stale(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            listed = str(target.with_suffix(".d"))
            self.compiler.compile(
                [source],
                output_dir=self.build_temp,
                macros=ext.define_macros,
                include_dirs=ext.include_dirs,
                debug=self.debug,
                extra_postargs=[*ext.extra_compile_args, "-MMD", "-MF", listed],
            )
        return str(target)

    def archive(self, objects: list[str]) -> None:
        """include/ and lib/ inside the package; `python -m distlab config` points there."""
        package = Path(self.build_lib, "distlab")
        include, lib = package / "include" / "distlab", package / "lib"
        shutil.rmtree(include, ignore_errors=True)
        include.mkdir(parents=True)
        for header in sorted(HEADERS.glob("*.h")):
            shutil.copy2(header, include)
        (lib / "libdistlab.a").unlink(missing_ok=True)  # `ar` would keep objects of sources that are gone
        self.compiler.create_static_lib(objects, "distlab", output_dir=str(lib))

    def copy_extensions_to_source(self) -> None:
        """An in-place build has the same files beside the Python sources."""
        super().copy_extensions_to_source()
        for name in ("include", "lib"):
            shutil.copytree(
                Path(self.build_lib, "distlab", name), Path("python", "distlab", name), dirs_exist_ok=True
            )


class BuildPython(build_py):
    """Adds the notebooks to the package: `python -m distlab notebooks DIR` copies them out."""

    def run(self) -> None:
        super().run()
        if getattr(self, "editable_mode", False):
            return  # they are in the tree already
        target = Path(self.build_lib, "distlab", "_notebooks")
        shutil.rmtree(target, ignore_errors=True)
        for pattern in NOTEBOOK_FILES:
            for path in sorted((ROOT / "notebooks").rglob(pattern)):
                inner = path.relative_to(ROOT / "notebooks")
                if any(part.startswith(".") or part == "solutions" for part in inner.parts):
                    continue
                (target / inner).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target / inner)


def extension() -> Extension:
    import numpy

    return Extension(
        "distlab._core",
        sources=sources(),
        include_dirs=[str(CSRC / "include"), str(CSRC), numpy.get_include()],
        extra_compile_args=[*FLAGS, *optimisation()],
        extra_link_args=["-pthread"],
        libraries=["m"],
        depends=sorted(str(path.relative_to(ROOT)) for path in (ROOT / CSRC).rglob("*.h")),
        language="c",
    )


if __name__ == "__main__":
    os.chdir(ROOT)
    setup(
        version=version(),
        ext_modules=[extension()],
        cmdclass={"build_ext": BuildExtension, "build_py": BuildPython},
    )
