"""The picture of README: latency against load, simulation with intervals, closed form on top."""

from pathlib import Path

import numpy as np

import distlab as dl

sweep = dl.sweep("queueing.station", arrival_rate=np.linspace(10, 95, 18), jobs=20_000, reps=20, seed=1)
picture = sweep.plot(y=["latency_mean", "latency_p99"])
picture.save(Path(__file__).resolve().parents[1] / "docs/picture.png")
