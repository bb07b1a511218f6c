"""The reader of histories under libFuzzer with address and undefined-behaviour checks: some thousand runs."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import distlab as dl

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    f"csrc/check/{n}.c" for n in ("reader", "edn", "json", "notation", "read", "write", "history", "texts")
]
SOURCES += ["csrc/base/memory.c", "csrc/base/error.c"]
CHECKS = "-fsanitize=fuzzer,address,undefined"
RUNS = 5_000
WORDS = (
    *(
        ":process",
        ":type",
        ":invoke",
        ":ok",
        ":info",
        ":f",
        ":value",
        ":key",
        ":time",
        ":nemesis",
        "nil",
        "null",
    ),
    *("#{", "#_", "##NaN", "1.5e3", "9223372036854775808", "\\\\u0041"),
    *(f'\\"{word}\\"' for word in ("process", "type", "invoke", "ok", "f", "value")),
)


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    clang = next((c for c in ("clang", "clang-14", "clang-15", "clang-16") if shutil.which(c)), None)
    if clang is None:
        pytest.skip("optional: no clang here")
    program = tmp_path_factory.mktemp("fuzz") / "fuzz_history"
    flags = ["-std=gnu11", "-O0", "-g", CHECKS, "-fno-sanitize-recover=undefined", "-Icsrc/include", "-Icsrc"]

    def build(*words):
        done = subprocess.run([clang, *flags, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0 and "clang_rt.fuzzer" in done.stderr:
            pytest.skip("optional: clang without libFuzzer")
        assert done.returncode == 0, done.stderr[-2000:]

    def compiled(source):
        name = str(program.parent / Path(source).with_suffix(".o").name)
        build("-c", source, "-o", name)
        return name

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compiled, ["tests/fuzz/fuzz_history.c", *SOURCES]))
    build(*objects, "-lm", "-o", str(program))
    return program


def test_the_reader_survives(target, tmp_path):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for kind in ("cas_register", "multi_register", "set", "key_value"):
        history = dl.generate_history(kind, ops=4, clients=2, crash_rate=0.2, seed=2)
        (corpus / f"{kind}_edn").write_bytes(b"\0" + history.to_edn().encode())
        (corpus / f"{kind}_json").write_bytes(b"\1" + history.to_jsonl().encode())
        (corpus / f"{kind}_pairs").write_bytes(b"\2" + history.to_edn(independent=True).encode())
    odd = '[{:process 0 :type :invoke :f :x :value [##NaN \\a #t {:a #{1 "b"}} 1/2 1.5M "\\u0001" \':a :b]}]'
    (corpus / "odd").write_text("\0" + odd)
    (tmp_path / "words").write_text("".join(f'"{word}"\n' for word in WORDS))
    done = subprocess.run(
        [target, f"-runs={RUNS}", "-seed=1", "-max_len=600", f"-dict={tmp_path / 'words'}", corpus],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {RUNS} runs" in done.stderr
