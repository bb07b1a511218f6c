"""Pictures of results, drawn on `matplotlib.figure.Figure` and never through pyplot.

Every function returns a `Picture` that shows itself in a notebook, or the Axes it was given as `ax=`. What a
picture owes its reader: units on both axes, an interval wherever there is one and a footnote that says which,
no interval on exact results, the closed form over the simulation where one exists, and gaps that are named.
"""

from distlab._plot_converge import plot_convergence
from distlab._plot_one import plot_compare, plot_distribution, plot_run
from distlab._plot_sweep import plot_sweep
from distlab._style import Picture

__all__ = ["Picture", "plot_compare", "plot_convergence", "plot_distribution", "plot_run", "plot_sweep"]
