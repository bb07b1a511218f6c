"""The line of code of an explorer runs as it stands: fault plans, tables and samples are written out."""

import numpy as np

import distlab as dl
from distlab._literal import literal
from test_explore import FAST, again, explore  # noqa: F401, the fixture


def test_the_line_holds_the_fault_plan(explore):  # noqa: F811
    long = dl.empirical([0.25, 1, 4.5], shift=0.125, unit="s")
    naps = dl.faults(
        dl.fault("pause", node=1, every="7ms", lasts="exponential(mean=2ms) + 1 ms"), label='"naps" \n'
    )
    plan = dl.faults(
        naps,
        *(dl.fault("crash", node=1, at=0.1 * k, lasts=dl.exponential("5ms"), disk="torn") for k in range(9)),
        dl.fault("crash", node=1, at=3, lasts=long),
    )
    e = explore("links.rpc_ambiguity", faults=plan, calls=50, points=2, reps=2)
    line = e.code()
    assert "faults=faults" not in line and '"kind": "pause"' in line and "label" not in line
    assert again(line).array.tobytes() == e.result.array.tobytes()
    longer = again(line.replace("mean=2ms", "mean=9ms"))
    assert longer.array.tobytes() != e.result.array.tobytes()
    assert eval(literal(naps)).label == naps.label and eval(literal(long)) == long
    mixed = dl.mixture((1, "1ms"), (1, dl.empirical(np.arange(1, 50), unit="s")))
    assert literal(mixed, "service") == "service"  # its text is for people


def test_plans_to_choose_from_are_told_apart(explore):  # noqa: F811
    plans = [dl.faults(dl.fault("crash", node=1, at=0, lasts=n)) for n in (0.5, 400)]
    e = explore("links.rpc_ambiguity", faults=plans, calls=50, points=2, reps=2)
    seen = []
    for plan in plans:
        e.set(faults=plan)
        assert again(e.code()).array.tobytes() == e.result.array.tobytes()
        seen.append(e.result.array.tobytes())
    assert seen[0] != seen[1]


def test_samples_to_choose_from_are_told_apart(explore):  # noqa: F811
    laws = [dl.empirical(np.linspace(low, 9e-3, 5000)) for low in (1e-3, 8e-3)]  # too long to be written out
    e = explore("queueing.station", service=laws, **FAST)
    seen = []
    for law in laws:
        e.set(service=law)
        assert "service=service" in e.code()
        seen.append(e.result.array.tobytes())
    assert seen[0] != seen[1]
