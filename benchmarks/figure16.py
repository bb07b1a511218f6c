"""Figure 16 of the Raft paper, made again: `python benchmarks/figure16.py` prints its lines and their time.

Five servers; the leader crashes within a heartbeat interval after a synchronised heartbeat, all logs differ
in length, a timeout begins anew as figure 2 of the paper says (section 9.3). The network law was fitted once,
to the median of 150-155 ms and the mean of 12-24 ms, and is frozen.
"""

import time

import numpy as np

import distlab as dl

DELAY = 0.0031  # s, from server to server
STALE = 3  # followers that miss entries, each one more than the next
NEVER = 11.0  # s; trials are ended after that
#: Shortest timeout and spread in ms, and what the paper says.
LINES = {
    (150, 0): "consistently more than 10 s", (150, 1): "", (150, 5): "median 287 ms", (150, 25): "",
    (150, 50): "worst of 1000: 513 ms", (150, 150): "", (12, 12): "mean 35 ms, worst 152 ms", (25, 25): "",
    (50, 50): "", (100, 100): "",
}  # fmt: skip


def downtimes(least, spread, reps=1000, seed=1, **more):
    """Seconds without a leader, a number per trial; infinite where nobody led within NEVER."""
    least, spread = least / 1e3, spread / 1e3
    crash = 10 * least
    setting = {
        "nodes": 5, "clients": 0, "pre_vote": False, "check_quorum": False, "delay": DELAY, "fsync": 0,
        "election_timeout": least, "election_spread": spread, "heartbeat_interval": least / 2,
        "timeout_restart": "heard", "leader_crash": crash, "stale_followers": STALE,
        "stop_at_leader": True, "warmup": 0.95 * crash, "duration": crash + least + NEVER, "heal_time": 0,
        "check_history": False,
    } | more  # fmt: skip
    runs = dl.sweep("consensus.raft", design=[setting], reps=reps, seed=seed, progress=False)
    if runs.array["violations"].any():
        raise AssertionError("a promise was broken")
    return np.nan_to_num(runs.array["downtime_max"].ravel(), nan=np.inf)


def main():
    begun = time.perf_counter()
    for (least, spread), published in LINES.items():
        ms = 1e3 * downtimes(least, spread, reps=1000 if spread else 100)
        never = f", {np.isinf(ms).sum()} of {ms.size} above {NEVER:g} s" if np.isinf(ms).any() else ""
        print(
            f"{least:4}-{least + spread:<4} ms: median {np.median(ms):6.0f}, mean {ms.mean():6.1f}, "
            f"worst {ms.max():6.0f} ms{never}" + (f"  (paper: {published})" if published else "")
        )
    print(f"all lines in {time.perf_counter() - begun:.2f} s")


if __name__ == "__main__":
    main()
