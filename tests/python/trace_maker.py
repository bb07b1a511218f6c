"""Made-up traces for tests: a loose imitation of an elected leader that copies entries, with everything
that a trace can hold (losses, copies, crashes, pauses, a partition, timers, states, disk writes, a broken
invariant), and a slow, plain account of causality to compare with.
"""

import heapq

import numpy as np

SCHEMA = {
    "types": [
        "send", "deliver", "drop", "duplicate", "set", "cancel", "fire", "start", "crash", "restart", "pause",
        "wake", "persist", "persisted", "apply", "request", "reply", "note", "state", "fault", "heal",
        "broken",
    ],
    "drops": ["loss", "partition", "node down", "corrupt", "queue full", "gray", "chosen"],
    "statuses": ["ok", "error", "full"],
    "keeps": ["kept", "lost", "torn", "cached"],
    "faults": ["crash", "pause", "slow", "partition", "isolate", "clock_jump"],
    "messages": [("request vote", "term", None), ("vote", "term", "granted"), ("append", "term", "index"),
                 ("append reply", "term", "index")],
    "timers": [("election", None, None), ("heartbeat", None, None)],
    "requests": [("put", "key", "value")],
    "applies": [("entry", "index", "value")],
    "notes": [("steps down", "term", None)],
    "states": [("follower", "term", None), ("candidate", "term", None), ("leader", "term", None)],
    "roles": ["server"],
    "invariants": ["one leader per term", "log matching"],
}  # fmt: skip
NUMBERS = ("label", "node", "peer", "id", "a", "b")
DTYPE = np.dtype([("time", "f8"), ("type", "i4"), *((name, "i8") for name in NUMBERS)])
CODE = {name: k for k, name in enumerate(SCHEMA["types"])}
OUTSIDE = [
    CODE[kind] for kind in ("drop", "duplicate", "fault", "heal", "broken")
]  # done to a node, not by it
VOTE_ASK, VOTE, APPEND, REPLY = range(4)
FOLLOWER, CANDIDATE, LEADER = range(3)


class Maker:
    """Events in a heap; rows in the order in which they are told."""

    def __init__(self, nodes, seed, loss=0.0, copies=0.0, delay=0.008):
        self.nodes, self.rng, self.loss, self.copies, self.delay = (
            nodes,
            np.random.default_rng(seed),
            loss,
            copies,
            delay,
        )
        self.rows, self.queue, self.now, self.seq, self.sent = [], [], 0, 0, 0
        self.up, self.awake, self.cut = [True] * nodes, [True] * nodes, set()
        self.state, self.term, self.armed = [FOLLOWER] * nodes, [0] * nodes, [0] * nodes
        self.index, self.votes = 0, [0] * nodes
        for node in range(nodes):
            self.tell("start", 0, node)
            self.become(node, FOLLOWER)
            self.arm(node)

    def tell(self, kind, label, node, peer=-1, number=0, a=0, b=0):
        self.rows.append((self.now * 1e-9, CODE[kind], label, node, peer, number, a, b))

    def at(self, delay, act, *args):
        self.seq += 1
        heapq.heappush(self.queue, (self.now + max(1, int(delay * 1e9)), self.seq, act, args))

    def run(self, until, messages=10**9):
        while self.queue and self.queue[0][0] <= until * 1e9 and self.sent < messages:
            self.now, _, act, args = heapq.heappop(self.queue)
            act(*args)
        return self

    @property
    def array(self):
        return np.array(self.rows, DTYPE)

    # Network

    def send(self, source, goal, kind, a=0, b=0):
        self.sent += 1
        number = self.sent
        self.tell("send", kind, source, goal, number, a, b)
        if self.rng.random() < self.loss:
            self.tell("drop", kind, source, goal, number, 0, b)
            return
        self.at(self.rng.gamma(4, self.delay / 4), self.arrive, source, goal, kind, number, a, b)
        if self.rng.random() < self.copies:
            self.tell("duplicate", kind, source, goal, number, a, b)
            self.at(self.rng.gamma(4, self.delay / 2), self.arrive, source, goal, kind, number, a, b)

    def arrive(self, source, goal, kind, number, a, b):
        if (source in self.cut) != (goal in self.cut):
            self.tell("drop", kind, source, goal, number, 1, b)
        elif not self.up[goal]:
            self.tell("drop", kind, source, goal, number, 2, b)
        elif not self.awake[goal]:
            self.at(0.004, self.arrive, source, goal, kind, number, a, b)
        else:
            self.tell("deliver", kind, goal, source, number, a, b)
            self.receive(goal, source, kind, a, b)

    # Nodes

    def become(self, node, state):
        self.state[node] = state
        self.tell("state", state, node, a=self.term[node])

    def arm(self, node):
        self.armed[node] += 1
        wait = self.rng.uniform(0.05, 0.1) if self.state[node] != LEADER else 0.03
        self.tell("set", self.state[node] == LEADER, node, b=self.now + int(wait * 1e9))
        self.at(wait, self.fire, node, self.armed[node])

    def fire(self, node, armed):
        if not self.up[node] or armed != self.armed[node]:
            return
        if not self.awake[node]:
            self.at(0.004, self.fire, node, armed)
            return
        leads = self.state[node] == LEADER
        self.tell("fire", leads, node)
        if not leads:
            self.term[node] += 1
            self.votes[node] = 1
            self.become(node, CANDIDATE)
        for peer in range(self.nodes):
            if peer != node:
                self.send(
                    node, peer, APPEND if leads else VOTE_ASK, self.term[node], self.index if leads else 0
                )
        self.arm(node)

    def receive(self, node, source, kind, a, b):
        if a > self.term[node]:
            self.term[node] = a
            if self.state[node] != FOLLOWER:
                self.tell("note", 0, node, a=a)
            self.become(node, FOLLOWER)
        if kind == VOTE_ASK:
            self.send(node, source, VOTE, self.term[node], int(a == self.term[node]))
        elif kind == VOTE and self.state[node] == CANDIDATE and b:
            self.votes[node] += 1
            if self.votes[node] > self.nodes // 2:
                self.become(node, LEADER)
                self.fire(node, self.armed[node])
        elif kind == APPEND and a == self.term[node]:
            self.tell("cancel", 0, node)
            self.arm(node)
            self.send(node, source, REPLY, a, b)
        elif kind == REPLY and b:
            self.tell("apply", 0, node, a=b, b=100 + b)

    # What happens to them

    def ask(self, node, key):
        if self.up[node] and self.awake[node]:
            self.index += 1
            self.tell("request", 0, node, number=self.index, a=key, b=2**60 + key)
            self.tell("persist", 0, node, number=self.index, a=64)
            self.at(0.002, self.written, node, self.index)

    def written(self, node, ticket):
        if self.up[node]:
            self.tell("persisted", 0, node, number=ticket, a=64 * (ticket % 2), b=0)
            self.tell("reply", 0, node, number=ticket, a=ticket)

    def crash(self, node):
        self.tell("fault", 0, node, a=0)
        self.tell("crash", 0, node, a=0)
        self.up[node] = False
        self.armed[node] += 1

    def restart(self, node):
        self.tell("heal", 0, node, a=0)
        self.up[node] = True
        self.tell("restart", 0, node, a=0)
        self.become(node, FOLLOWER)
        self.arm(node)

    def pause(self, node):
        self.awake[node] = False
        self.tell("pause", 1, node, a=1)

    def wake(self, node):
        self.awake[node] = True
        self.tell("wake", 1, node, a=1)

    def part(self, members):
        self.cut = set(members)
        self.tell("fault" if members else "heal", 3, -1, a=2)

    def jump(self, node):
        self.tell("fault", 5, node, a=3)

    def breaks(self, invariant):
        self.tell("broken", invariant, -1)


def story():
    """Three nodes: an election with a lost vote, an entry, a crash."""
    m = Maker(3, 4, loss=0.06, copies=0.06)
    m.at(0.105, m.ask, 0, 7)
    m.at(0.14, m.crash, 1)
    m.at(0.19, m.restart, 1)
    return m.run(0.24).array


def trouble():
    """Five nodes with a crash, a pause, a partition and a promise broken at the end."""
    m = Maker(5, 3, loss=0.05, copies=0.03)
    for k in range(12):
        m.at(0.1 + 0.04 * k, m.ask, k % 5, k)
    m.at(0.15, m.pause, 3)
    m.at(0.24, m.wake, 3)
    m.at(0.2, m.crash, 2)
    m.at(0.36, m.restart, 2)
    m.at(0.4, m.part, [0, 1])
    m.at(0.52, m.part, [])
    m.at(0.3, m.jump, 4)
    m.at(0.58, m.breaks, 0)
    return m.run(0.6).array


def large(messages, nodes=7):
    """As many messages as asked for."""
    m = Maker(nodes, 5, loss=0.03, copies=0.01)
    m.at(1.0, m.crash, 1)
    m.at(1.3, m.restart, 1)
    m.at(2.0, m.pause, 2)
    m.at(2.2, m.wake, 2)
    for k in range(200):
        m.at(0.1 + 0.05 * k, m.ask, k % nodes, k)
    return m.run(1e9, messages).array


def closure(rows):
    """before[i, j]: did i happen before j? Edges of the definition (same node, message), then paths."""
    n = len(rows)
    before = np.zeros((n, n), bool)
    last, sent = {}, {}
    for j in range(n):
        node, kind, number = int(rows["node"][j]), rows["type"][j], int(rows["id"][j])
        if node < 0 or kind in OUTSIDE:
            continue
        causes = [last[node]] if node in last else []
        if kind == CODE["deliver"] and number in sent:
            causes.append(sent[number])
        for i in causes:
            before[:, j] |= before[:, i]
            before[i, j] = True
        last[node] = j
        if kind == CODE["send"]:
            sent[number] = j
    return before


def clocks(rows, nodes):
    """Vector clocks by counting in the closure: events of each node before this one, and itself; a record
    that is no event shows what its node knew before."""
    before, lived = closure(rows), (rows["node"] >= 0) & ~np.isin(rows["type"], OUTSIDE)
    out = np.zeros((len(rows), nodes), np.uint32)
    for k in range(nodes):
        out[:, k] = before[lived & (rows["node"] == k)].sum(axis=0)
    own = np.flatnonzero(lived)
    out[own, rows["node"][own]] += 1
    last = {}
    for k, node in enumerate(rows["node"].tolist()):
        if lived[k]:
            last[node] = k
        elif node in last:
            out[k] = out[last[node]]
    return out
