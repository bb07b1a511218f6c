"""The C core as Python sees it: a few functions that know descriptors and never a model.

Arrays of parameters and metrics are NumPy structured arrays whose memory is the model's own C struct
(dtype with `aligned=True`, explicit offsets and itemsize). `pool` is a sequence of 1-D C-contiguous arrays:
float64 (sorted samples), PART_DTYPE rows (mixture parts) or rows of a table parameter; records refer to them
by position. Errors: ValueError (range, contradiction), TypeError (type), UnknownNameError (a KeyError),
MemoryError, BudgetError, Cancelled, BrokenInvariantError; texts name value, range and nearest valid name.
"""
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

VERSION: str
REPR_TIME_MAX: float  # largest representable time, s
DISTRIBUTION_DTYPE: np.dtype[Any]
PART_DTYPE: np.dtype[Any]
REF_DTYPE: np.dtype[Any]
DISTRIBUTION_NAMES: tuple[str, ...]
CHOICE_KINDS: tuple[str, ...]  # by number; 0 is none

class UnknownNameError(KeyError): ...
class BudgetError(RuntimeError): ...
class Cancelled(RuntimeError): ...
class BrokenInvariantError(RuntimeError): ...

@final
class Token:
    """A cancel token: any thread may cancel; the sweep that holds it stops within 100 ms."""

    def __init__(self) -> None: ...
    def cancel(self) -> None: ...
    @property
    def cancelled(self) -> bool: ...

Pool = Sequence[NDArray[Any]]

def models() -> tuple[str, ...]: ...
def register(address: int, /) -> str:
    """Add a dlab_model at this address (of a loaded library) for this process; returns its name."""

def describe(model: str, /) -> dict[str, Any]:
    """name title doc source exact params metrics outputs bugs columns theory_columns params_dtype metrics_dtype.

    A field: name unit display doc group type choices table text log_scale optional may_be_nan default min max
    low high off scale; type is one of double int bool choice flags distribution table ratio estimate histogram;
    default is a number, bool, text (choice, distribution), list (flags) or None (off, no table).
    A column: name metric part q unit display doc.  An output: name doc series columns dtype.
    A bug: name doc violation scope. A table parameter's `table` is {name doc series columns dtype}.
    """

def defaults(model: str, /) -> NDArray[Any]:
    """One row (shape ()) of default parameters."""

def parse(model: str, field: str, text: str, /) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """A parameter from text: (0-d array of the field's dtype, mixture parts or None)."""

def format(model: str, field: str, params: NDArray[Any], pool: Pool = (), /) -> str:
    """One parameter of one row as text that parses back."""

def check(model: str, params: NDArray[Any], pool: Pool = (), /) -> None:
    """Every row: ranges and the model's own rules; the first bad one raises ('point 3: ...' if several)."""

def warnings(model: str, params: NDArray[Any], pool: Pool = (), /) -> list[tuple[str, int]]:
    """(sentence, first row) for each row the model warns about."""

def steps(model: str, params: NDArray[Any], pool: Pool = (), /) -> NDArray[np.float64]:
    """About how many steps each row takes; NaN where the model does not say."""

def row_keys(seed: int, points: int, reps: int, crn: bool, first_point: int = 0, first_rep: int = 0, /) -> NDArray[np.uint64]:
    """Keys of shape (points, reps)."""

def sweep(
    model: str,
    params: NDArray[Any],
    keys: NDArray[np.uint64],
    *,
    pool: Pool = (),
    wanted: Sequence[str] = (),
    threads: int = 0,
    steps_max: int = 0,
    memory_max: int = 0,
    keep_max: int = 0,
    mask_errors: bool = False,
    token: Token | None = None,
    progress: Callable[[int, int], Any] | None = None,
    fail_at: int = 0,
    choices: NDArray[np.uint64] | None = None,
    record: bool = False,
    ask: Callable[[list[str]], int | None] | None = None,
) -> dict[str, Any]:
    """Run keys.size rows; row i takes params[i // reps] with reps = keys.size // params.size.

    One row may be decided by choices (replayed) or by ask (a function of a list of texts; None ends the run),
    and recorded: then choices (uint64), skipped and incomplete are returned too. An exception about one row
    has its number as `row`.

    Returns metrics (1-D, metrics_dtype), fingerprints (uint64, one a row; 0: none), buckets (uint64),
    outputs {name: (rows, offsets uint64)}, failures [(row, code name, text)]. GIL released; signals and
    progress(done, total) about every 50 ms.
    """

def enumerate(
    model: str,
    params: NDArray[Any],
    key: int,
    *,
    pool: Pool = (),
    runs_max: int = 0,
    steps_max: int = 0,
    memory_max: int = 0,
    keep_max: int = 0,
    token: Token | None = None,
    progress: Callable[[int, int], Any] | None = None,
    fail_at: int = 0,
) -> dict[str, Any]:
    """Run one row of params once for every way its coins can fall; runs_max 0: a million.

    Returns metrics, weights (float64, sum 1), fingerprints, buckets, and choices (uint64 of all runs, run i
    has offsets[i]:offsets[i + 1]). total is 0 in progress(done, total).
    """

def columns(model: str, metrics: NDArray[Any], buckets: NDArray[np.uint64], /) -> NDArray[Any]:
    """Expanded columns, one float64 field each, same shape as metrics."""

def merge(
    model: str, metrics: NDArray[Any], buckets: NDArray[np.uint64], index: NDArray[np.int64],
    offsets: NDArray[np.int64], confidence: float, /,
) -> NDArray[np.float64]:
    """(groups, columns, 5): mean low high se n over the rows index[offsets[g]:offsets[g + 1]]."""

def quantiles(
    model: str, metrics: NDArray[Any], buckets: NDArray[np.uint64], metric: str, q: NDArray[np.float64],
    index: NDArray[np.int64], offsets: NDArray[np.int64], /,
) -> NDArray[np.float64]:
    """(groups, len(q)) quantiles of merged histograms, SI units."""

def buckets(
    model: str, metrics: NDArray[Any], buckets: NDArray[np.uint64], metric: str, index: NDArray[np.int64], /,
) -> tuple[NDArray[np.float64], NDArray[np.uint64]]:
    """(edges, counts) of the merged histogram, SI units, len(edges) == len(counts) + 1."""

def resample(
    model: str, output: str, rows: NDArray[Any], offsets: NDArray[np.uint64], column: str,
    times: NDArray[np.float64], /,
) -> NDArray[np.float64]:
    """(rows of the sweep, len(times)): a series held on a common grid."""

def trace_schema(model: str, /) -> dict[str, Any] | None:
    """Names behind the numbers of the output table "trace"; None: the model has no trace.

    types drops keeps faults statuses roles invariants: lists of names; messages timers requests applies notes
    states: lists of (name, name of a or None, name of b or None).
    """

def trace_lines(model: str, rows: NDArray[Any], /) -> list[str]:
    """A line of text for each row of the output table "trace": who did what, with whom."""

def trace_clocks(rows: NDArray[Any], nodes: int, /) -> NDArray[np.uint32]:
    """Vector clocks (rows, nodes): how many events of each node are known at each row.

    Event j happened before event k when clocks[j, node of j] <= clocks[k, node of j] and j is not k. What the
    network or a fault does (drop, duplicate, fault, heal, broken) counts nothing and shows what its node knows.
    """

def fault_table() -> dict[str, Any]:
    """The table of fault plans: name doc series columns dtype, as in a description of a model."""

def fault_check(row: NDArray[Any], names: dict[str, str], pool: Pool = (), /) -> None:
    """Refuse a fault that no model can take; names: {column: what the caller calls it}."""

def theory(model: str, params: NDArray[Any], pool: Pool = (), /) -> NDArray[np.float64]:
    """(rows, len(theory_columns)); NaN where no closed form holds."""

def parse_distribution(text: str, unit: str | None = "s", /) -> tuple[NDArray[Any], NDArray[Any] | None]: ...
def format_distribution(record: NDArray[Any], pool: Pool = (), /) -> str: ...
def distribution_moments(record: NDArray[Any], pool: Pool = (), /) -> tuple[float, float]:
    """(mean, variance)."""

def distribution_cdf(record: NDArray[Any], x: NDArray[np.float64], pool: Pool = (), /) -> NDArray[np.float64]: ...
def distribution_quantile(record: NDArray[Any], p: NDArray[np.float64], pool: Pool = (), /) -> NDArray[np.float64]: ...
def distribution_sample(record: NDArray[Any], n: int, key: int, pool: Pool = (), /) -> NDArray[np.float64]: ...
def quantity(text: str, unit: str | None = None, /) -> float: ...
def nearest(wanted: str, names: Sequence[str], /) -> str | None: ...

Interval = tuple[float, float, float, float, int]  # mean low high se n

def mean_interval(x: NDArray[np.float64], confidence: float = 0.95, /) -> Interval: ...
def paired_interval(a: NDArray[np.float64], b: NDArray[np.float64], confidence: float = 0.95, /) -> Interval: ...
def ratio_interval(num: NDArray[np.float64], den: NDArray[np.float64], confidence: float = 0.95, /) -> Interval: ...
def proportion_interval(successes: float, trials: float, confidence: float = 0.95, /) -> Interval: ...
def bootstrap_interval(x: NDArray[np.float64], confidence: float = 0.95, resamples: int = 1000, key: int = 1, /) -> Interval: ...
def quantile_interval(x: NDArray[np.float64], q: float, confidence: float = 0.95, /) -> Interval:
    """x need not be sorted."""

def batch_means(x: NDArray[np.float64], confidence: float = 0.95, /) -> tuple[Interval, float]:
    """(interval, lag-1 autocorrelation of the batch means)."""

def warmup_cut(x: NDArray[np.float64], /) -> int: ...
def t_quantile(p: float, df: float, /) -> float: ...
def normal_quantile(p: float, /) -> float: ...
def cores() -> int: ...

def history_read(data: bytes, notation: str, independent: bool, order: str, /) -> Any:
    """A history from text; notation edn or jsonl, order strict, lines or times. GIL released.

    Errors name the line and what was expected.
    """

def history_write(history: Any, notation: str, independent: bool, /) -> bytes: ...
def history_parts(history: Any, /) -> dict[str, Any]:
    """Copies of its tables: operations, elements, nemesis (events), texts; timed; events (how many)."""

def history_open(
    operations: NDArray[Any], elements: NDArray[Any], texts: Sequence[str], placed: bool, timed: bool, /,
) -> Any:
    """A history from tables as history_parts gives them; unless placed, order comes from times."""

def history_generate(
    kind: str, seed: int, ops: int, clients: int, keys: int, values: int, read_fraction: float,
    crash_rate: float, bug_rate: float, think: float, /,
) -> tuple[Any, int]:
    """A made-up history and the number of defects planted in it."""

def history_check(
    history: Any, spec: str, *, criterion: str = "linearizability", fail: str = "never",
    initial: tuple[int, int, int] | None = None, states: int = 0, memory: int = 0, seconds: float = 0,
    explain: bool = True, shrink: bool = True, token: Token | None = None, step: Callable[..., int] | None = None,
    reads: Sequence[int] = (), describe: Callable[[int], str] | None = None, by_key: bool = False,
    bug: str = "none", switched_off: int = 0,
) -> dict[str, Any]:
    """Is the history consistent? valid (True, False, None), reason, order, window, shrunk, stuck, pending, ...

    GIL released; step(state, f, outcome, key, argument, result) gives the next state or -1.
    """

def specifications() -> dict[str, str]:
    """Names of specifications and the functions each knows."""
