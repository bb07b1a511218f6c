"""Exploring by hand: controls from the descriptor of every model, and requests of which the newest wins."""

import itertools
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest

import distlab as dl
import probe
from distlab import _explore_controls, _explore_view
from distlab._latest import Latest
from distlab._literal import literal

widgets = pytest.importorskip("ipywidgets", reason="optional: needs ipywidgets")
probe.register()
NAMES = [model.name for model in dl.models()]
KINDS = {
    "bool": "Checkbox", "choice": "Dropdown", "distribution": "Text", "flags": "Checkbox",
    "double": ("FloatSlider", "SelectionSlider"), "int": ("IntSlider", "FloatSlider", "SelectionSlider"),
}  # fmt: skip
FAST = {"jobs": 200, "points": 4, "reps": 2}


@pytest.fixture
def explore():
    """dl.explore whose explorers are closed, and leave no thread."""
    before, made = set(threading.enumerate()), []

    def make(*args, **kwargs):
        made.append(dl.explore(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.close()
        assert one.wait(20)
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive(), f"{thread} is left"


class Clock:
    """Timers that ring when they are told to."""

    def __init__(self):
        self.timers, self.delays = [], []

    def __call__(self, delay, function, args):
        self.delays.append(delay)
        timer = type("Timer", (), {"daemon": False, "alive": False, "ring": lambda _: function(*args)})()
        timer.start = lambda: setattr(timer, "alive", True)
        timer.cancel = lambda: setattr(timer, "alive", False)
        self.timers.append(timer)
        return timer

    @property
    def alive(self):
        return [timer for timer in self.timers if timer.alive]

    def ring(self):
        (timer,) = self.alive
        timer.alive = False
        timer.ring()


# The newest request wins


def test_only_the_last_of_many_quick_requests_runs():
    clock, done = Clock(), []
    runs = Latest(lambda request, token: done.append(request), 0.25, clock)
    for k in range(50):
        runs.ask(k)
        assert len(clock.alive) == 1 and not runs.idle
    assert done == [] and set(clock.delays) == {0.25}
    clock.ring()
    assert done == [49] and runs.idle and not clock.alive
    assert (runs.asked, runs.started, runs.finished, runs.cancelled, runs.dropped) == (50, 1, 1, 0, 49)


def test_a_run_in_flight_is_cancelled_and_its_worker_takes_the_newest():
    clock, seen = Clock(), []

    def work(request, token):
        seen.append((request, threading.get_ident()))
        if request < 3:  # while it runs something newer comes, and is due before it has stopped
            runs.ask(request + 1)
            assert token.cancelled
            clock.ring()
            raise dl.Cancelled("stopped")
        assert not token.cancelled

    runs = Latest(work, 0, clock)
    runs.ask(0)
    clock.ring()
    assert [r for r, _ in seen] == [0, 1, 2, 3] and len({t for _, t in seen}) == 1
    assert (runs.started, runs.cancelled, runs.finished, runs.dropped) == (4, 3, 1, 0) and runs.idle


def test_a_timer_that_rings_too_late_does_nothing():
    clock, done = Clock(), []
    runs = Latest(lambda request, token: done.append(request), 0, clock)
    runs.ask("old")
    late = clock.alive[0]
    runs.ask("new")
    late.ring()
    assert done == [] and not runs.idle
    clock.ring()
    assert done == ["new"] and runs.idle


def test_stopped_and_closed():
    clock, done = Clock(), []
    runs = Latest(lambda request, token: done.append(request), 0, clock)
    runs.ask(1)
    runs.stop()
    assert runs.idle and not clock.alive and runs.dropped == 1
    runs.ask(2)
    clock.ring()
    runs.close()
    runs.ask(3)
    assert done == [2] and runs.idle and not clock.alive


def test_a_mistake_in_the_work_leaves_a_worker_for_the_next(recwarn):
    clock, done = Clock(), []

    def work(request, token):
        if request == "bad":
            raise RuntimeError("our own")
        done.append(request)

    runs = Latest(work, 0, clock)
    runs.ask("bad")
    with pytest.raises(RuntimeError):
        clock.ring()
    assert runs.idle
    runs.ask("good")
    clock.ring()
    assert done == ["good"] and runs.idle


def test_real_threads_many_quick_changes(explore):
    """A run of hours is given up for each of 40 changes; what is seen at the end is the last one."""
    e = explore("queueing.station", jobs=10**9, method="events", points=2, reps=1)
    for k in range(40):
        e.set(servers=1 + k % 16)
        if k % 8 == 7:  # let some of them begin
            started = e.runs.started
            while e.runs.started == started:
                threading.Event().wait(0.005)
            assert threading.active_count() <= 4  # this one, xdist's, a timer and a worker
    quick = explore("queueing.station", points=2, reps=1)
    quick.set(jobs=1000)
    assert quick.result.params["jobs"] == 1000
    e.runs.stop()
    assert e.wait(20)
    assert e.runs.cancelled == e.runs.started >= 5 and e.runs.finished == 0
    assert e.runs.cancelled + e.runs.dropped == e.runs.asked


# Controls


@pytest.mark.parametrize("name", NAMES)
def test_controls_of_every_model(name, explore):
    e = explore(name, points=3, reps=1)
    model = dl.models()[name]
    tables = [f["name"] for f in model.fields if f["type"] == "table"]
    assert [*e.controls] == [f for f in model.fields.names if f not in tables]
    for field in model.fields:
        if field["name"] in tables:
            assert e.value[field["name"]] is None
            continue
        control = e.controls[field["name"]]
        for part in control.parts:
            assert type(part).__name__ in KINDS[field["type"]]
            assert field["doc"] in part.tooltip and field["name"] in part.tooltip
        assert (control.switch is not None) == field["optional"]
        want = frozenset(field["default"]) if field["type"] == "flags" else field["default"]
        if isinstance(want, float):
            assert control.value == pytest.approx(want, rel=1e-9)
        else:
            assert control.value == want
        _ends(field, control)
    groups = [g for g in dict.fromkeys(f["group"] or "Parameters" for f in model.fields)]
    assert [t.lower() for t in e.box.children[1].titles] == [
        g.lower()
        for g in groups
        if any((f["group"] or "Parameters") == g for f in model.fields if f["name"] in e.controls)
    ]
    assert {value for _, value in e.y.options} <= set(model.columns.names)
    given = {k: v for k, v in e.value.items() if k not in tables}
    dl.run(model, **given | ({"jobs": 10} if "jobs" in given else {}))


def _ends(field, control):
    """Every end of a slider is a value that the parameter takes, in SI units."""
    (*_, part) = control.parts
    kind = type(part).__name__
    if "Slider" not in kind:
        return
    if kind != "SelectionSlider":
        _on_a_step(part)
    if control.switch is not None:
        assert part.disabled == (field["default"] is None) == (control.value is None)
        control.switch.value = True
        assert not part.disabled
    seen = []
    ends = [part.options[0][1], part.options[-1][1]] if kind == "SelectionSlider" else [part.min, part.max]
    for end in ends:
        part.value = end
        seen.append(control.value)
        assert field["min"] <= control.value <= field["max"]
        assert isinstance(control.value, int) == (field["type"] == "int")
    assert seen == pytest.approx([field["low"], field["high"]], rel=1e-9)
    control.set(field["default"])


def _on_a_step(slider):
    """A front end would move a slider that stands between two steps."""
    steps = (slider.value - slider.min) / slider.step
    assert abs(steps - round(steps)) < 1e-6
    assert slider.step == 1 or slider.max - slider.min >= 99 * slider.step


def test_display_units_become_si(explore):
    e = explore(probe.NAME, points=2, reps=1)
    slider = e.controls["retry_delay"].parts[0]
    assert (slider.min, slider.max, slider.value) == (0, 10_000, 100) and "(ms)" in slider.description
    slider.value = 250
    assert e.value["retry_delay"] == 0.25
    e.set(retry_delay="1s", features={"beta"}, service="constant(3ms)", timeout=None)
    e.set(retry_delay=0.1234567)
    _on_a_step(slider)
    e.set(retry_delay="1s")
    assert slider.value == 1000 and e.value["features"] == frozenset({"beta"})
    assert e.value["service"] == "constant(3ms)" and e.value["timeout"] is None


def test_round_values():
    field = dl.queueing.station.field("think_time") | {"type": "double", "unit": "s", "display": "ms"}
    span = _explore_controls.Range(field, 0.01, 10)
    values = _explore_controls.round_values(span, 0.123)
    assert span.log and values == sorted(values) and {0.01, 0.123, 1, 10} <= set(values)
    assert 0.022 in values and 0.51 in values and all(0.01 <= v <= 10 for v in values)
    assert all(b / a < 1.3 for a, b in itertools.pairwise(values))
    whole = _explore_controls.round_values(
        _explore_controls.Range(dl.queueing.station.field("clients"), 1, 500), 7
    )
    assert whole[:10] == [*range(1, 11)] and whole[-1] == 500 and all(isinstance(v, int) for v in whole)


@pytest.mark.parametrize(
    ("low", "high", "value", "whole", "step"),
    [
        (5, 99, 80, False, 0.5),
        (0.01, 0.5, 0.1, False, 0.002),
        (0, 0.2, 0.001, False, 0.001),  # 0.002 would be enough, but leads past the value
        (0, 1, 0.333, False, 0.001),
        (1, 16, 3, True, 1),
        (0, 20_000, 0, True, 200),
        (0, 20_000, 150, True, 50),
        (0, 20_000, 7, True, 1),
        (0, 10_000, 123.4567, False, 0.0001),
    ],
)
def test_nice_step(low, high, value, whole, step):
    assert _explore_controls.nice_step(low, high, value, whole) == step


def test_fixed_and_ranges(explore):
    e = explore(
        "queueing.station", arrival_rate=(50, 90), servers=[1, 2, 4], capacity=("5", "50"), deadline="50ms",
        discipline=["ps", "lifo"], service={"steady": "constant(10ms)", "noisy": "exponential(10ms)"},
        **FAST,
    )  # fmt: skip
    assert "deadline" not in e.controls and e.value["deadline"] == "50ms"
    slider = e.controls["arrival_rate"].parts[0]
    assert (slider.min, slider.max, slider.value) == (50, 90, 80)
    assert [v for _, v in e.controls["servers"].parts[0].options] == [1, 2, 4]
    assert 5 <= e.value["capacity"] <= 50
    assert e.value["discipline"] == "ps" and e.value["service"] == "exponential(10ms)"
    assert [v for _, v in e.x.options][:2] == ["arrival_rate", "peak_factor"]
    assert e.result.coords["arrival_rate"].tolist() == np.linspace(50, 90, 4).tolist()
    e.set(x="servers")
    assert e.result.coords["servers"].tolist() == [1, 2, 4]
    with pytest.raises(ValueError, match=r"arrival_rate = 20: its slider goes from 50 to 90"):
        e.set(arrival_rate=20)
    with pytest.raises(ValueError, match="servers = 3"):
        e.set(servers=3)
    with pytest.raises(ValueError, match="deadline has no control"):
        e.set(deadline=1)
    with pytest.raises(ValueError, match="menu"):
        e.set(discipline="fifo")


@pytest.mark.parametrize(
    ("params", "error", "text"),
    [
        ({"arrival_rat": 3}, KeyError, "arrival_rate"),
        ({"arrival_rate": "fast"}, TypeError, "arrival_rate"),
        ({"arrival_rate": -1}, ValueError, "from 1e-06 to 1e\\+07"),
        ({"arrival_rate": (90, 50)}, ValueError, "low below high"),
        ({"arrival_rate": (0, 50)}, ValueError, "arrival_rate = 0"),
        ({"servers": [3]}, ValueError, "2 to 400 different values"),
        ({"servers": (1, 2.5)}, ValueError, "servers"),
        ({"discipline": []}, ValueError, "at least one"),
        ({"discipline": ["fif"]}, ValueError, "fifo"),
        ({"x": "discipline"}, KeyError, "axis"),
        ({"x": "arrival_rate", "arrival_rate": 3}, KeyError, "axis"),
        ({"y": "latency_p98"}, KeyError, "latency_p"),
        ({"points": 1}, ValueError, "points"),
        ({"reps": 0}, ValueError, "reps"),
        ({"seed": -1}, ValueError, "seed"),
    ],
)
def test_mistakes_in_the_call(params, error, text):
    with pytest.raises(error, match=text):
        dl.explore("queueing.station", **params)


def test_a_model_without_an_axis_has_numbers_only(explore):
    given = {f["name"]: f["default"] for f in dl.queueing.analytic.fields if f["type"] in ("double", "int")}
    e = explore("queueing.analytic", **given)
    assert e.mode.options == ("Numbers",) and isinstance(e.result, dl.Run)
    assert "latency_mean" in e.table.value


# What is seen


def again(line):
    return eval(line, {"dl": dl, "np": np})


@pytest.mark.parametrize("name", NAMES)
def test_the_line_makes_what_is_seen(name, explore):
    """Curve and numbers, at defaults and at another setting: same rows, same keys, same numbers."""
    e = explore(name, points=3, reps=2)
    for mode in ("Curve", "Numbers"):
        e.set(mode=mode)
        for value in e.controls["bug"].parts[0].options[:2]:
            e.set(bug=value[1])
            seen, made = e.result, again(e.code())
            assert type(seen) is type(made)
            np.testing.assert_equal(seen.array.tolist(), made.array.tolist())
            assert seen.model is made.model


def test_the_line_holds_every_kind_of_value(explore):
    table = dl.table({"weight": [1, 2]})
    law = dl.empirical(np.linspace(0.01, 0.02, 5000))
    e = explore(probe.NAME, classes=table, pause=law, points=2, reps=1)
    e.set(
        features=set(),
        verbose=True,
        policy="fifo",
        timeout="3s",
        service="constant(3ms)",
        capacity=None,
        jobs=12,
    )
    line = e.code()
    for piece in (
        "features=set()",
        "verbose=True",
        'policy="fifo"',
        "timeout=3",
        'service="constant(3ms)"',
        "jobs=12",
    ):
        assert piece in line
    assert "capacity" not in line and "pause=pause" in line  # 5000 samples are too many to write out
    assert 'classes=dl.table([{"weight": 1}, {"weight": 2}])' in line
    made = eval(line, {"dl": dl, "np": np, "pause": law})
    assert made.array.tolist() == e.result.array.tolist()
    assert all(len(row) <= 100 for row in line.split("\n"))
    assert (
        literal_roundtrip(0.1)
        and literal_roundtrip(1e-9)
        and literal_roundtrip('a"b\\')
        and literal_roundtrip(1e300)
    )


def literal_roundtrip(value):
    return eval(literal(value)) == value


def test_the_curve_is_drawn_again_without_a_new_sweep(explore):
    e = explore("queueing.station", **FAST)
    first, picture = e.result, e.image.value
    e.set(y="wait")
    assert e.result is first and e.image.value != picture
    picture = e.image.value
    e.set(arrival_rate=50)  # only the mark moves
    assert e.result is first and e.image.value != picture
    e.set(servers=2)
    assert e.result is not first and bytes(e.image.value).startswith(b"\x89PNG")


def test_numbers_have_intervals_and_closed_forms(explore):
    e = explore("queueing.station", jobs=20_000, arrival_rate=50)
    e.set(mode="Numbers")
    sweep, page = e.result, e.table.value
    assert sweep.dims == () and page.count("±") > 10 and "closed form" in page and "20" in page
    assert e.image.layout.display == "none" and e.table.layout.display is None
    theory = float(sweep.theory("latency_mean"))
    assert theory == pytest.approx(0.02)
    assert ">20<" in page
    exact = explore("queueing.analytic")
    exact.set(mode="Numbers")
    assert exact.result.latency_mean == pytest.approx(0.05)
    assert (
        "±" not in exact.table.value and "50" in exact.table.value and "without a value" in exact.table.value
    )


def test_a_bad_combination_is_one_sentence(explore):
    e = explore("queueing.station", codel_target=(0.01, 0.1), **FAST)
    assert e.result.points == 4
    picture = e.image.value
    e.set(discipline="ps")
    assert e.wait(20)
    sentence = (
        "queueing.station: nobody waits under ps: patience, drop_late and codel_target have no meaning there"
    )
    assert sentence in e.status.value and "Traceback" not in e.status.value
    assert e.image.value == picture and "dlab-old" in e.image._dom_classes
    assert e.error == sentence
    with pytest.raises(ValueError, match="nobody waits under ps"):
        _ = e.result
    e.controls["service"].parts[0].value = "lognorml(3)"  # as somebody types it
    assert e.wait(20) and "lognormal" in e.status.value
    e.set(service="exponential(5ms)", discipline="fifo")
    assert e.result.points == 4 and e.error is None and "dlab-old" not in e.image._dom_classes


def test_points_that_cannot_run_are_left_out_and_said(explore):
    e = explore(probe.NAME, memory=(64, 10**15), reps=1, points=3, x="memory")
    failed = e.result.failures
    assert 0 < len(failed) < 3
    assert f"{len(failed)} of 3 points are missing" in e.status.value
    assert 'errors="mask"' in e.code() and again(e.code()).points == 3


def test_what_the_model_has_to_say_is_said_once_and_not_warned(explore):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        e = explore("queueing.station", arrival_rate=(50, 150), **FAST)
        assert e.result.points == 4
        assert "no steady state" in e.status.value and "(2 of 4 points)" in e.status.value


def test_what_stays_on_a_page_without_a_kernel(explore):
    e = explore("queueing.station", **FAST)
    assert e.result.points == 4
    bundle = e._last._repr_mimebundle_()
    assert bundle["image/png"] in bundle["text/html"].replace("\n", "") and e.code() == bundle["text/plain"]
    assert (
        f'id="{e._mark}"' in bundle["text/html"] and f"#{e._mark}{{display:none}}" in e.box.children[0].value
    )
    live = _explore_view.live_bundle(e.box, "m")
    assert live[_explore_view.WIDGET]["model_id"] == e.box.model_id and "kernel" in live["text/html"]
    e.set(mode="Numbers")
    assert e.result.dims == ()
    later = e._last._repr_mimebundle_()
    assert "<table" in later["text/html"] and later["image/png"] == bundle["image/png"]


def test_no_pyplot_and_no_ipywidgets():
    """In a process of its own: pyplot stays out, and a missing library is named with its extra."""
    script = (
        "import sys, distlab as dl\n"
        "e = dl.explore('queueing.analytic', points=3); e.result\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "sys.modules['ipywidgets'] = None\n"
        "try: dl.explore('queueing.analytic')\n"
        "except ImportError as error: print(error)\n"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert out.returncode == 0, out.stderr
    assert (
        out.stdout.strip()
        == 'this needs ipywidgets, which is not installed: pip install "distlab[notebooks]"'
    )
