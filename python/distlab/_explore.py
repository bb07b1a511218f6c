"""Turn the parameters of any model by hand and see what happens.

Everything is built from the descriptor: one control for each parameter, a menu of metrics, a menu of axes. A
change asks for a new run and returns at once, because front ends deliver changes in a thread that must not
be held up and that no interrupt reaches; the run happens in the background and is cancelled by its token when
something newer is asked for. Nothing is drawn through pyplot.
"""

from __future__ import annotations

import itertools
import threading
import time
from typing import Any

from distlab import _core, _explore_controls, _explore_view, _params, _style, _units
from distlab._common import REPS_MAX, check_seed, integer, need, unknown
from distlab._distribution import Distribution
from distlab._latest import Latest
from distlab._model import find
from distlab._table import Table

REPS, POINTS, POINTS_MAX = 8, 17, 500
TELL_AFTER = 0.4  # seconds until a run in flight is mentioned
_count = itertools.count(1)


def explore(model, /, *, x=None, y=None, reps=None, seed=1, points=POINTS, threads=None, **params):
    """Controls for every parameter of a model, and a curve and a table that follow (notebooks extra).

    Parameters
    ----------
    model : str or Model
    x : str, optional
        The parameter along the axis to begin with: any number with a typical range.
    y : str, optional
        The column to draw to begin with.
    reps : int, default 8
        Repetitions of every setting: intervals come from them. Exact models have one.
    seed : int in 0..2**64-1, or None
    points : int
        Positions along the axis.
    threads : int, optional
        Default: one for each core this process may use.
    **params
        One value fixes a parameter, which then has no control. (low, high) is the range of its control; a
        list, array or dict of labels is what the control offers.

    Returns an Explorer, which shows itself in a notebook: ``.value`` (the parameters it stands at),
    ``.code()`` (the line that makes what is seen), ``.result`` (its Run or Sweep), ``.set(...)``.
    UnknownNameError (a KeyError), TypeError and ValueError name the parameter, the value and what it takes.
    """
    return Explorer(model, x=x, y=y, reps=reps, seed=seed, points=points, threads=threads, params=params)


class Explorer:
    """Controls of a model and what they show; made by ``dl.explore``.

    Attributes
    ----------
    model : Model
    controls : dict parameter -> Control
    fixed : dict parameter -> value given in the call
    runs : Latest, which counts runs: started, finished, cancelled
    error : str or None, the sentence shown when the last setting could not be run
    """

    def __init__(self, model, *, x, y, reps, seed, points, threads, params, latest=Latest):
        self._tools = need("ipywidgets", "notebooks")
        _style.require()
        self.model = find(model)
        wanted = REPS if reps is None else integer("reps", reps, 1, REPS_MAX)
        self.reps = 1 if self.model.exact else wanted
        self.points = integer("points", points, 2, POINTS_MAX)
        self.threads = None if threads is None else integer("threads", threads, 1, 256)
        self.seed, self.error, self.fixed, self.controls = check_seed(seed), None, {}, {}
        self._mark = f"dlab-still-{next(_count)}-{time.time_ns() % 10**9:x}"
        self._spans, self._seen, self._shown, self._still = {}, None, None, None
        self._png, self._last, self._lock = None, None, threading.RLock()
        self._take(params)
        axes = [name for name, span in self._spans.items() if isinstance(span, _explore_controls.Range)]
        if x is not None and x not in axes:
            raise unknown(f"{self.model.name}: axis", x, axes)
        column = self.model.column(self.model.main_column if y is None else y)["name"]
        self.runs = latest(self._work)
        self._build(axes, x, column)

    # Controls

    def _take(self, params):
        """Sort what was given into fixed values and ranges, and find the ranges of the rest."""
        for name in params:
            self.model.field(name)
        self._ranged = {name for name, value in params.items() if _params.is_axis(value)}
        for field in self.model.fields:
            name = field["name"]
            if name not in params:
                self._spans[name] = _explore_controls.base_range(field)
            elif name in self._ranged:
                self._spans[name] = _explore_controls.given_range(self.model, field, params[name])
            else:
                stored = _params.convert(self.model, field, params[name])
                if field["type"] in ("double", "int") and params[name] is not None:
                    _explore_controls.check_ends(field, stored)
                self.fixed[name] = params[name]

    def _start(self, field, span):
        """Where a control begins: the default or the nearest in its range; a range given is never off."""
        start = field["default"]
        if isinstance(span, _explore_controls.Range):
            if start is None and field["name"] in self._ranged:
                start = _explore_controls.middle(span)
            if start is not None:
                start = min(max(start, span.low), span.high)
                start = int(start) if field["type"] == "int" else start
        return start

    def _build(self, axes, x, column):
        tools = self._tools
        groups: dict[str, list[Any]] = {}
        for field in self.model.fields:
            if field["name"] in self.fixed:
                continue
            span = self._spans[field["name"]]
            made = _explore_controls.make(tools, field, span, self._start(field, span))
            if made is not None:
                self.controls[field["name"]] = made
                groups.setdefault(field["group"] or "Parameters", []).append(made.widget)
                made.watch(self._changed)
        panes = [tools.VBox(widgets) for widgets in groups.values()]
        left = tools.Accordion(panes, selected_index=0 if panes else None)
        left.layout = {
            "flex": "1 1 400px",
            "min_width": "330px",
            "max_width": "460px",
            "margin": "0 12px 0 0",
        }
        for k, name in enumerate(groups):
            left.set_title(k, _units.title(name))
        menu = {"style": {"description_width": "auto"}, "layout": {"width": "auto", "max_width": "215px"}}
        self.mode = tools.ToggleButtons(
            options=["Curve", "Numbers"] if axes else ["Numbers"],
            tooltips=["One metric along one parameter", "Every metric at this setting"][0 if axes else 1 :],
            style={"button_width": "86px"},
        )
        columns = [(_units.column_label(c), c["name"]) for c in self.model.columns if c["part"] != "se"]
        self.y = tools.Dropdown(options=columns, value=column, description="Show", **menu)
        labels = [(_units.axis_label(self.model.field(name)), name) for name in axes]
        self.x = tools.Dropdown(
            options=labels, value=x or (axes[0] if axes else None), description="against", **menu
        )
        self.image = tools.Image(
            format="png", layout={"width": f"{_explore_view.PIXELS}px", "max_width": "100%", "margin": "0"}
        )
        self.table, self.status, self.line = tools.HTML(), tools.HTML(), tools.HTML()
        for widget in (self.mode, self.y, self.x):
            widget.observe(self._changed, names="value")
        self._head = tools.HBox([self.mode, self.y, self.x], layout={"flex_flow": "row wrap"})
        style = tools.HTML(
            f"{_explore_view.STYLE}<style>#{self._mark}{{display:none}}</style>", layout={"height": "0"}
        )
        shown = tools.VBox([self._head, self.image, self.table, self.status, self.line])
        shown.layout = {"flex": "1 1 480px", "min_width": "0", "max_width": f"{_explore_view.PIXELS + 20}px"}
        for widget in (self.table, self.status, self.line):
            widget.layout.width = "auto"
        self.box = tools.HBox(
            [style, left, shown], layout={"flex_flow": "row wrap", "align_items": "flex-start"}
        )
        self.box.add_class("dlab-live")
        self._arrange()

    def _arrange(self):
        """Show what belongs to the mode."""
        curve = self.mode.value == "Curve"
        for widget, seen in ((self.x, curve), (self.y, curve), (self.image, curve), (self.table, not curve)):
            widget.layout.display = None if seen else "none"

    def _changed(self, _change=None):
        """Something was moved: ask for a run and return."""
        self._arrange()
        self.runs.ask(self._request())

    # Questions and answers

    @property
    def value(self):
        """The parameters it stands at (dict): ``dl.run(model, **e.value)`` runs them. SI units, None: off."""
        out = {}
        for field in self.model.fields:
            name = field["name"]
            if name in self.fixed:
                out[name] = self.fixed[name]
            elif name in self.controls:
                out[name] = self.controls[name].value
            else:
                out[name] = None
        return out

    def set(self, **params):
        """Move controls by name, also x, y and mode ("Curve" or "Numbers"); returns the Explorer."""
        for name, value in params.items():
            if name in ("x", "y", "mode"):
                menu = getattr(self, name)
                known = [o[1] if isinstance(o, tuple) else o for o in menu.options]
                if value not in known:
                    raise unknown(name, value, known)
                menu.value = value
                continue
            field = self.model.field(name)
            if name not in self.controls:
                raise ValueError(f"{name} has no control here: it is given in the call of dl.explore")
            stored = _params.convert(self.model, field, value)
            plain = field["type"] in ("double", "int", "bool") and value is not None
            self.controls[name].set(stored if plain else value)
        return self

    def code(self):
        """The line that makes what is seen now (str).

        Samples and tables of more than some 10 000 characters stand in it by their parameter's name.
        """
        return self._line(self._request(), self.error is None and self._masked())

    def _masked(self):
        return bool(getattr(self._seen, "failures", None))

    @property
    def result(self):
        """The Sweep of the curve, or of the numbers (a Run where the model is exact); waits for it.

        ValueError with the sentence shown where this setting cannot be run.
        """
        if self._seen is None and self.error is None and self.runs.idle:
            self.runs.ask(self._request())
        self.runs.wait()
        if self.error is not None:
            raise ValueError(self.error)
        return self._seen

    def wait(self, timeout=None):
        """Wait until what is shown belongs to the controls; False after timeout seconds."""
        return self.runs.wait(timeout)

    def _request(self):
        x = self.x.value if self.mode.value == "Curve" else None
        return {"params": self.value, "x": x, "y": self.y.value}

    def _line(self, request, mask=False):
        """The call behind a request."""
        values, x = dict(request["params"]), request["x"]
        if x is None and self.model.exact:
            return _explore_view.call("run", self.model.name, _explore_view.arguments(self.model, values))
        values.pop(x, None)
        given = _explore_view.arguments(self.model, values)
        if x is not None:
            given.insert(0, (x, self._spans[x].axis(self.points)[1]))
        if not self.model.exact:
            given += [("reps", str(self.reps)), ("seed", str(self.seed))]
        return _explore_view.call(
            "sweep", self.model.name, [*given, *([("errors", '"mask"')] if mask else [])]
        )

    def _work(self, request, token):
        """In the background: run what is asked for, draw it, show it unless something newer came."""
        began = time.monotonic()

        def tell(done, total):
            if time.monotonic() - began > TELL_AFTER and not token.cancelled:
                self.status.value = _explore_view.said(f"running … {done} of {total}", "quiet")

        try:
            sweep = self._run(request, token, tell)
            self._answer(request, sweep, token)
        except _core.Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - whatever went wrong becomes the one sentence on the page
            text = str(error) or type(error).__name__
            self._publish(token, request, error=text)

    def _run(self, request, token, progress):
        """The sweep of a request; the last one again where only its picture changes."""
        from distlab._sweep import sweep

        params, x = dict(request["params"]), request["x"]
        if x is not None:
            params[x] = self._spans[x].axis(self.points)[0]
        key = self._line(request), [v for v in params.values() if isinstance(v, (Table, Distribution))]
        if self._shown is not None and self._shown[0] == key:
            return self._shown[1]
        made = sweep(
            self.model, reps=self.reps, seed=self.seed, threads=self.threads, errors="mask",
            progress=progress, token=token, **params,
        )  # fmt: skip
        if len({f["point"] for f in made.failures}) == made.points:
            raise ValueError(made.failures[0]["text"])
        self._shown = (key, made)
        return made

    def _answer(self, request, sweep, token):
        """Draw a sweep and say what there is to say about it."""
        kind, text = self._remarks(sweep)
        if request["x"] is None:
            seen = sweep.replay() if self.model.exact else sweep
            self._publish(token, request, seen, table=_explore_view.numbers_html(sweep), said=(text, kind))
            return
        drawn = _explore_view.picture(sweep, request["y"], request["params"][request["x"]])
        png = drawn.png(_explore_view.DOTS)
        self._publish(token, request, sweep, png=png, caption=drawn.caption, said=(text, kind))

    def _remarks(self, sweep):
        """What the model has to say about these parameters, and which points are missing."""
        failed = sorted({f["point"] for f in sweep.failures})
        if failed:
            return "mind", f"{len(failed)} of {sweep.points} points are missing: {sweep.failures[0]['text']}"
        warned = _core.warnings(self.model.name, sweep._rows, sweep._pool)
        if not warned:
            return "", ""
        where = f" ({len(warned)} of {sweep.points} points)" if sweep.dims else ""
        return "mind", warned[0][0].rstrip(".") + where

    def _publish(
        self, token, request, seen=None, png=None, table=None, caption="", said=("", ""), error=None
    ):
        """Put an answer on the page, all of it or nothing."""
        line = self._line(request, error is None and bool(getattr(seen, "failures", None)))
        with self._lock:
            if token.cancelled:
                raise _core.Cancelled("something newer was asked for")
            self.error, self._seen = error, seen
            if png is not None:
                self._png = png
                self.image.value = png
            if table is not None:
                self.table.value = table
            for widget in (self.image, self.table):
                (widget.add_class if error else widget.remove_class)("dlab-old")
            self.status.value = _explore_view.said(error, "bad") if error else _explore_view.said(*said)
            self.line.value = _explore_view.code_html(line)
            body = table or (_explore_view.picture_html(self._png, caption) if self._png else "")
            body += (
                _explore_view.said(error, "bad") if error else _explore_view.said(*said) if said[0] else ""
            )
            still = _explore_view.Still(self._mark, body, self._png, line)
            self._last = still
            if self._still is not None:
                self._still.update(still)

    # On the page

    def _ipython_display_(self):
        from IPython.display import display

        display(_explore_view.live_bundle(self.box, self.model.name), raw=True)
        try:
            self.runs.ask(self._request())
            self.runs.wait()
        except KeyboardInterrupt:
            self.runs.stop()
            raise
        with self._lock:
            if self._last is not None:
                self._still = display(self._last, display_id=self._mark)

    def close(self):
        """Stop what runs and take the controls away."""
        self.runs.close()
        self._still = None
        self.box.close()

    def __repr__(self):
        given = ", ".join(f"{k}={t}" for k, t in _explore_view.arguments(self.model, self.value))
        return f"<distlab explorer of {self.model.name}: {given or 'all defaults'}>"[:100]
