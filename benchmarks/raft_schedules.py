"""Random schedules of consensus.raft: settings, faults and timings drawn together, one point after another.

One generator for the protocol and for each of its planted bugs, so that "none was broken in n schedules"
stands beside the rate at which the same schedules show what is broken. Point k of a seed is the same for
ever: a search can be cut short and go on. One schedule in ten ends with all faults healed and asks for
progress.
"""

import random
import re

#: Parameters of a schedule that says nothing else: short runs with fast elections.
COMMON = {"duration": 1.5, "warmup": 0.0}


def _corners(pick):
    """Settings where some rules alone decide; each drawn as a whole, so that what it needs comes together."""
    return {
        # Leaders that follow one another quickly and hardly get an entry across (the paper, figure 8).
        "races": {
            "nodes": 3, "clients": pick((0, 0, 5)), "batch": 1, "pipeline": 1, "election_timeout": 0.01,
            "election_spread": 0.005, "heartbeat_interval": 0.008, "pre_vote": False, "delay": "2ms",
            "loss": 0.5, "fsync": "0", "crash_rate": 3.0, "restart": "exponential(10ms)",
            "partition_rate": 30.0, "partition": "exponential(30ms)", "pause_rate": 2.0,
            "pause": "exponential(20ms)",
        },
        # Many short changes of members in a log that is compacted all the time.
        "small log": {
            "nodes": 3, "outsiders": 1, "change_rate": 5.0, "snapshot_every": 4, "log_capacity": 32,
            "loss": 0.1, "delay": "1ms", "fsync": "0", "batch": 1, "clients": 5, "retry_timeout": 0.01,
            "election_timeout": 0.01, "election_spread": 0.02, "heartbeat_interval": 0.008,
            "pre_vote": False, "crash_rate": 2.0, "restart": "exponential(100ms)", "partition_rate": 5.0,
            "partition": "exponential(150ms)",
        },
        # A follower far behind is sent a snapshot while it still holds entries of another leader.
        "late": {
            "nodes": 3, "snapshot_every": 8, "log_capacity": 16, "batch": 1, "pipeline": 1,
            "election_timeout": 0.005, "election_spread": 0.01, "heartbeat_interval": 0.004,
            "delay": "exponential(3ms)", "fsync": "100us", "loss": 0.05, "partition_rate": 10.0,
            "partition": "exponential(50ms)", "clients": 20, "client_rate": 3000.0, "retry_timeout": 0.02,
        },
        # Disks that end each write by itself, long after the entry may have been cut.
        "slow disks": {
            "duration": 3.0, "nodes": 5,
            "storage": "async", "group_commit": False, "fsync": "20ms", "batch": 1,
            "pipeline": 1, "clients": 20, "client_rate": 200.0, "retry_timeout": 0.1,
            "election_timeout": 0.02, "election_spread": 0.06, "heartbeat_interval": 0.004, "delay": "1ms",
            "loss": 0.1, "crash_rate": 3.0, "restart": "exponential(10ms)",
        },
        # Clocks as far apart as the margin allows, a leader that is cut off, many readers; no server sleeps.
        "drift": {
            "duration": 4.0, "nodes": 3, "read_mode": "lease", "lease_margin": 0.25, "drift": 100000.0,
            "clock_spread": "worst", "election_timeout": 0.15, "election_spread": 0.09,
            "heartbeat_interval": 0.015, "pre_vote": False, "check_quorum": True, "delay": "200us",
            "fsync": "0", "read_fraction": 0.9, "partition_rate": 6.0,
            "partition": "exponential(200ms)", "keys": 1, "clients": 40, "client_rate": 1000.0,
            "retry_timeout": 0.01, "crash_rate": 0.0, "pause_rate": 0.0,
        },
    }  # fmt: skip


def _features(draw, point):
    """What only some schedules have: snapshots, slow disks, changes of members, torn writes, leases."""
    pick = draw.choice
    kind = pick(
        (
            "plain",
            "plain",
            "snapshots",
            "async",
            "members",
            "torn",
            "lease",
            "reads",
            "sessions",
            "corner",
            "corner",
        )
    )
    if kind == "corner":
        point.update(pick(list(_corners(pick).values())))
        return
    if kind == "async" or draw.random() < 0.15:
        point.update(
            storage="async", fsync=pick(("exponential(10ms)", "exponential(40ms)", "exponential(100ms)"))
        )
    if kind == "snapshots" or draw.random() < 0.3:
        point.update(snapshot_every=pick((4, 8, 16)), log_capacity=pick((32, 64)), keys=pick((1, 5, 40)))
    if kind == "members" or draw.random() < 0.1:
        point.update(nodes=pick((2, 3, 4)), outsiders=pick((1, 2)), change_rate=pick((2.0, 5.0, 20.0)))
    if kind == "torn" or draw.random() < 0.1:
        point.update(crash_disk="torn", crash_rate=pick((1.0, 3.0)), sector=64, write_error=pick((0.0, 0.01)))
    if kind == "reads":
        point.update(reads_anywhere=pick((True, False)), keys=1, clients=20)
    if kind == "sessions":
        point.update(retry_timeout=0.02, cas_fraction=pick((0.0, 0.3)), forward=pick((True, False)))
    if kind == "lease":
        # Within the margin (clocks that differ by 22 % at most), and no server sleeps: then it is safe.
        point.update(
            read_mode="lease", lease_margin=0.25, drift=pick((100000.0, -100000.0)), pause_rate=0.0, keys=1
        )
        point.update(clock_spread=pick(("worst", "random")), check_quorum=True, retry_timeout=0.02)


def _mean(law):
    """The mean of one of the laws of schedule(), in seconds."""
    number, unit = re.search(r"([\d.]+)(us|ms)?", law).groups()
    return float(number) * {"us": 1e-6, "ms": 1e-3, None: 0}[unit]


def heal(point):
    """The same point with progress demanded when all faults have ended, under what that takes.

    Timeouts far above delays and writes, and drawn from a wide interval; few lost messages; a quorum check,
    for the leader is made deaf; pre-votes where members change, for a server that was removed may disturb for
    ever by its terms (thesis 4.2.3), and where clocks differ. Without pre-votes timeouts begin anew only as
    the paper says: if every higher term resets them, the deaf server and one that cannot win may keep the
    only one that can from ever standing. A log that is repaired in a few messages; time for many elections.
    """
    point = dict(point, check_quorum=True, write_error=0.0, log_backtrack="by_term", batch=64, pipeline=8)
    if _mean(point["fsync"]) > 1e-3:
        point["fsync"] = "1ms"
    slow = max(1, (20 * _mean(point["delay"]) + 10 * _mean(point["fsync"])) / point["election_timeout"])
    point["election_timeout"] *= slow
    point["heartbeat_interval"] *= slow
    point["election_spread"] = max(point["election_spread"], point["election_timeout"])
    point["pre_vote"] = point["pre_vote"] or point["change_rate"] > 0 or point["drift"] != 0
    point["timeout_restart"] = "new_term" if point["pre_vote"] else "heard"
    point["loss"], point["client_rate"] = min(point["loss"], 0.05), min(point["client_rate"], 300.0)
    elections = (40 if point["pre_vote"] else 160) * point["election_timeout"]
    retries = 6 * point["retry_timeout"] * (point["nodes"] + point["outsiders"])
    return point | {"heal_time": max(elections, retries)}


def schedule(seed, k):
    """Point k of the random schedules of a seed: parameters of consensus.raft."""
    draw = random.Random(f"{seed}/{k}")
    pick = draw.choice
    timeout = pick((0.02, 0.05, 0.1))
    point = {
        "nodes": pick((3, 3, 5, 5, 7)), "outsiders": 0, "change_rate": 0.0,
        "election_timeout": timeout, "election_spread": timeout * pick((0.2, 1, 2)),
        "heartbeat_interval": timeout * pick((0.2, 0.4)), "pre_vote": pick((True, False)),
        "check_quorum": pick((True, False)), "log_backtrack": pick(("by_term", "one_by_one")),
        "delay": f"exponential({pick((0.2, 1, 3, 8))}ms)", "loss": pick((0.0, 0.05, 0.2, 0.4)),
        "duplicate": pick((0.0, 0.1)),
        "reorder": pick((0.0, 0.2)),
        "fsync": pick(("0", "100us", "1ms", "exponential(10ms)")),
        "crash_rate": pick((0.0, 0.5, 2.0, 6.0)), "restart": f"exponential({pick((30, 100, 300))}ms)",
        "partition_rate": pick((0.0, 1.0, 4.0, 10.0)), "partition": f"exponential({pick((50, 150, 400))}ms)",
        "pause_rate": pick((0.0, 0.0, 1.0)), "pause": f"exponential({pick((50, 200))}ms)",
        "clients": pick((5, 20)), "client_rate": pick((30.0, 100.0, 300.0, 1000.0)), "keys": pick((1, 5)),
        "batch": pick((1, 4, 64)), "pipeline": pick((1, 8)), "retry_timeout": pick((0.02, 0.1, 0.3)),
        "snapshot_every": 1000, "log_capacity": 2048, "storage": "sync", "crash_disk": "kept", "sector": 512,
        "write_error": 0.0,
        "read_mode": pick(("read_index", "read_index", "log")), "lease_margin": 0.1, "drift": 0.0,
        "clock_spread": "random", "reads_anywhere": False, "cas_fraction": 0.0, "forward": False,
        "group_commit": True, "timeout_restart": "new_term", "read_fraction": 0.5, "heal_time": 0.0,
    }  # fmt: skip
    _features(draw, point)
    if draw.random() < 0.1:
        point = heal(point)
    return COMMON | point


def schedules(seed, first, count):
    """Points first .. first + count - 1."""
    return [schedule(seed, k) for k in range(first, first + count)]
