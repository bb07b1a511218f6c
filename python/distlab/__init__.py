"""distlab: a laboratory for distributed systems. ``import distlab as dl``; ``dl.models()`` is the catalogue.

Importing loads NumPy and the C core and nothing else: every function, namespace of models, signature and
docstring is built when it is first touched.
"""

from . import _core
from ._core import BrokenInvariantError, BudgetError, Cancelled, Token, UnknownNameError

__version__ = _core.VERSION

_HOME = {
    "DistlabWarning": "_common",
    "Model": "_model", "Catalogue": "_model", "models": "_model", "register": "_model",
    "Run": "_run", "run": "_run", "Choices": "_choices",
    "Enumeration": "_enumerate", "enumerate": "_enumerate",
    "Sweep": "_results", "sweep": "_sweep", "estimate": "_estimate", "load": "_save",
    "topology": "_network", "fault": "_network", "faults": "_network",
    "Axis": "_design", "axis": "_design", "Table": "_table", "table": "_table",
    "Trace": "_trace",
    "Explorer": "_explore", "explore": "_explore",
    "Comparison": "_compare", "compare": "_compare", "Solution": "_solve", "solve": "_solve",
    "WhatIf": "_whatif", "whatif": "_whatif",
    "History": "_history", "read_history": "_history", "generate_history": "_history",
    "Recorder": "_recorder", "Verdict": "_verdict", "check_linearizable": "_verdict",
    "check_sequential": "_verdict",
    "Distribution": "_distribution", "distribution": "_distribution", "empirical": "_empirical",
    "constant": "_distribution", "uniform": "_distribution", "exponential": "_distribution",
    "hyperexponential": "_distribution", "gamma": "_distribution", "erlang": "_distribution",
    "normal": "_distribution", "lognormal": "_distribution", "weibull": "_distribution",
    "pareto": "_distribution", "bimodal": "_distribution", "mixture": "_distribution",
}  # fmt: skip
_SUBMODULES = ["lesson"]

__all__ = [
    "Axis", "BrokenInvariantError", "BudgetError", "Cancelled", "Catalogue", "Choices", "Comparison",
    "DistlabWarning", "Distribution", "Enumeration", "Explorer", "History", "Model", "Recorder", "Run",
    "Solution", "Sweep", "Table", "Token", "Trace", "UnknownNameError", "Verdict", "WhatIf",
    "__version__", "axis", "bimodal", "check_linearizable", "check_sequential", "compare", "constant",
    "distribution", "empirical", "enumerate", "erlang", "estimate", "explore", "exponential", "fault",
    "faults", "gamma", "generate_history", "hyperexponential", "lesson", "load", "lognormal", "mixture",
    "models", "normal", "pareto", "read_history", "register", "run", "solve", "sweep", "table",
    "topology", "uniform", "weibull", "whatif",
]  # fmt: skip


def _families():
    return sorted({name.partition(".")[0] for name in _core.models()})


def __getattr__(name):
    from importlib import import_module

    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name in _SUBMODULES:
        value = import_module(f"{__name__}.{name}")
    elif not name.startswith("_") and name in _families():
        value = import_module(f"{__name__}._model").Family(name)
    else:
        known = [*__all__, *_families()]
        near = None if name.startswith("_") else _core.nearest(name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise AttributeError(f"module 'distlab' has no attribute {name!r}{hint}")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*__all__, *_families()})
