"""The code on a page of the documentation runs as it stands, and says what the page says."""

import re
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def test_failures_page_runs(capsys):
    scope = {}
    for block in blocks("failures.md"):
        exec(block, scope)  # noqa: S102 - the page is ours
    timeouts = scope["sweep"].array["timeout_ratio"].mean(axis=-1).ravel()
    calm, naps, deaths = (t if np.isscalar(t) else t.mean() for t in timeouts)
    assert naps > calm and deaths > calm
    assert "crashes" in capsys.readouterr().out or "server 1" in scope["run"].trace.text()


@pytest.mark.parametrize("kind", ["crash", "pause"])
def test_a_renewal_process_is_up_for_its_share(kind):
    """Share of calls answered: MTBF / (MTBF + MTTR) within four standard errors."""
    import distlab as dl

    plan = dl.faults(dl.fault(kind, node=1, every="20s", lasts="exponential(2s)"))
    sweep = dl.sweep(
        "links.rpc_ambiguity", calls=4000, faults=plan, request_loss=0, reply_loss=0, crash_before=0,
        crash_after=0, timeout=0.001, service="1us", delay="1us", think_time="exponential(1s)", reps=20,
        progress=False,
    )  # fmt: skip
    share = sweep.array["success_ratio"].ravel()
    error = share.std(ddof=1) / np.sqrt(len(share))
    assert error < 0.01
    assert abs(share.mean() - 20 / 22) < 4 * error
