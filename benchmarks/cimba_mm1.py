"""M/M/1 in PyPI's `cimba`, in a process that answers questions, so that run.py interleaves it with distlab.

cimba compiles its models in the process that uses them and may be installed for another Python than
distlab, so it runs in an interpreter of its own (run.py finds one). On standard input: FORM run CUSTOMERS
SEED, or FORM sweep WORKERS REPS SEED; on standard output: seconds and a mean sojourn for each. Both forms
are compiled and run once before the first answer. FORM is `processes`, how cimba's own M/M/1 is written,
or `events`, its callbacks, the fastest way through it.
"""

import sys
import time

import cimba as cb
import numpy as np

ROW_CUSTOMERS = 10_000
RING = 1 << 12  # more wait at load 0.95 with probability 1e-91; cimba copies it for every trial


class Processes(cb.Model):
    """One process arrives, one serves; customers are the times at which they came."""

    gap: cb.Param[float] = 1 / 0.9
    customers: cb.Param[int] = 1000
    line: cb.Store[float]
    total: float = 0.0
    sojourn: cb.Output[float]

    @cb.process
    def arrive(self):
        for _ in range(self.customers):
            cb.hold(cb.random.exponential(self.gap))
            self.line.put(cb.now())

    @cb.process
    def serve(self):
        for _ in range(self.customers):
            came = self.line.get()
            cb.hold(cb.random.exponential(1.0))
            self.total += cb.now() - came

    @cb.on_end
    def measure(self):
        self.sojourn = self.total / self.customers


class Events(cb.Model):
    """Two callbacks that schedule each other; the line is a ring of the times at which customers came."""

    gap: cb.Param[float] = 1 / 0.9
    customers: cb.Param[int] = 1000
    line: cb.Array[float] = cb.Array(RING)
    came: int = 0
    left: int = 0
    total: float = 0.0
    sojourn: cb.Output[float]

    @cb.on_start
    def begin(self):
        cb.schedule(self.arrive, cb.random.exponential(self.gap))

    @cb.event
    def arrive(self):
        self.line[self.came & (RING - 1)] = cb.now()
        self.came += 1
        if self.came - self.left == 1:
            cb.schedule(self.depart, cb.random.exponential(1.0))
        if self.came < self.customers:
            cb.schedule(self.arrive, cb.random.exponential(self.gap))

    @cb.event
    def depart(self):
        self.total += cb.now() - self.line[self.left & (RING - 1)]
        self.left += 1
        if self.left < self.came:
            cb.schedule(self.depart, cb.random.exponential(1.0))

    @cb.on_end
    def measure(self):
        self.sojourn = self.total / self.customers


FORMS = {"processes": Processes, "events": Events}


def answer(form, question, *numbers):
    """Seconds inside cimba's own call, the experiment built beforehand, and the mean over its trials."""
    model = FORMS[form]()
    if question == "run":
        (model.customers, seed), workers, reps = map(int, numbers), 1, 1
    else:
        workers, reps, seed = map(int, numbers)
        model.customers = ROW_CUSTOMERS
        model.gap = cb.sweep((100 / np.linspace(50, 95, 64)).tolist())
    experiment = cb.Experiment(model, replications=reps, seed=seed)
    start = time.perf_counter()
    results = experiment.run(workers=workers, on_failure="raise")
    seconds = time.perf_counter() - start
    return f"{seconds:.9f} {results[model].sojourn.values.mean():.6f}"


def main():
    for form in FORMS:
        answer(form, "run", 1000, 1)
    for line in sys.stdin:
        print(answer(*line.split()), flush=True)


if __name__ == "__main__":
    main()
