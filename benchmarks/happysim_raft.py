"""Raft in PyPI's `happysim`: five nodes, a leader that sends heartbeats, links with random delays and loss.

Its leader sends an AppendEntries to every other node once in a heartbeat interval and each is answered;
commands that were submitted wait for the next one, so that its messages per second do not depend on load.
There are no disks, snapshots, pre-votes or changes of members. Reads questions "SECONDS HEARTBEAT TIMEOUT
DELAY LOSS SEED" (s; the election timeout is drawn from TIMEOUT to twice that) and answers with the seconds
inside its own `run` and the messages sent, lost ones included.
"""

import random
import sys
import time

from happysimulator import ExponentialLatency, Network, NetworkLink, Simulation
from happysimulator.components.consensus.raft import RaftNode

NODES = 5


def cluster(heartbeat, timeout, delay, loss):
    """The network and the nodes, every ordered pair with a link of its own."""
    network = Network(name="network")
    nodes = [
        RaftNode(
            f"node {i}",
            network,
            election_timeout_min=timeout,
            election_timeout_max=2 * timeout,
            heartbeat_interval=heartbeat,
        )
        for i in range(NODES)
    ]
    for a in nodes:
        a.set_peers(nodes)
        for b in nodes:
            if a is not b:
                link = NetworkLink(f"{a.name} {b.name}", ExponentialLatency(delay), packet_loss_rate=loss)
                network.add_link(a, b, link)
    return network, nodes


def answer(simulated, heartbeat, timeout, delay, loss, seed):
    random.seed(seed)
    network, nodes = cluster(heartbeat, timeout, delay, loss)
    simulation = Simulation(duration=simulated, entities=[network, *nodes])
    for node in nodes:
        simulation.schedule(node.start())
    start = time.perf_counter()
    simulation.run()
    seconds = time.perf_counter() - start
    if not any(node.is_leader for node in nodes):
        raise SystemExit("happysim: nobody leads at the end")
    return f"{seconds:.9f} {network.events_routed}"


def main():
    for line in sys.stdin:
        print(answer(*map(float, line.split())), flush=True)


if __name__ == "__main__":
    main()
