"""Latency of one queue against its load, for one, two and four servers: table, file and picture."""

import numpy as np

import distlab as dl

sweep = dl.sweep("queueing.station", arrival_rate=np.linspace(10, 95, 18), servers=[1, 2, 4], reps=20, seed=1)
print(sweep.summary())
print(dl.compare(sweep.sel(arrival_rate=[50, 90, 95]), over="servers").summary())
sweep.save("station.npz")
sweep.plot(y="latency_p99", logy=True).save("station.png")
