/* The space-time diagram: one lane per node, time to the right, messages as lines. No library, no network.
 *
 * data holds the columns that _diagram.py writes. Positions of records stand for events; their order is that
 * in which things happened, so causes are found by one pass backwards and effects by one pass forwards. */
"use strict";

/* Columns back to records, and arrivals paired with their sendings. */
function distlabDecode(d) {
  const r = distlabRecords(d);
  r.flights = distlabFlights(d, r);
  return r;
}

function distlabRecords(d) {
  const n = d.time.length,
    kinds = d.kinds;
  const r = {
    n,
    kind: d.kind,
    time: new Float64Array(n),
    node: new Int32Array(n),
    peer: new Int32Array(n).fill(-1),
    sent: new Int32Array(n).fill(-1),
    a: new Array(n),
    b: new Array(n),
    id: new Array(n),
    type: new Array(n),
  };
  const at = { away: 0, node: 0, peer: 0, a: 0, b: 0, id: 0 };
  const two = new Set(["send", "deliver", "drop", "duplicate", "fault", "heal"]);
  for (let i = 0, ticks = 0; i < n; i++) {
    const k = kinds[d.kind[i]],
      type = (r.type[i] = k[0]);
    r.time[i] = d.start + (ticks += d.time[i]) * d.tick;
    let away = 0;
    if (type === "deliver" || type === "drop") away = d.away[at.away++];
    if (away) r.sent[i] = i - Math.abs(away);
    const s = r.sent[i],
      derived = type === "deliver" && s >= 0;
    r.node[i] = derived ? r.peer[s] : d.node[at.node++];
    if (two.has(type)) r.peer[i] = derived ? r.node[s] : d.peer[at.peer++];
    if (derived && away > 0) {
      r.a[i] = r.a[s];
      r.b[i] = r.b[s];
      r.id[i] = r.id[s];
    } else {
      if (k[3]) r.a[i] = d.a[at.a++];
      if (k[4]) r.b[i] = d.b[at.b++];
      if (k[5]) r.id[i] = d.id[at.id++];
    }
  }
  return r;
}

function distlabFlights(d, r) {
  const flights = [],
    n = r.n,
    kinds = d.kinds,
    copies = new Int32Array(n),
    ended = new Uint8Array(n),
    took = [];
  for (let i = 0; i < n; i++) {
    const type = r.type[i],
      s = r.sent[i];
    if (type !== "deliver" && type !== "drop") continue;
    const one = s >= 0 ? s : i,
      turned = s < 0 && type === "deliver";
    flights.push({
      s,
      e: i,
      label: kinds[r.kind[i]][2],
      from: turned ? r.peer[one] : r.node[one],
      to: turned ? r.node[one] : r.peer[one],
      dropped: type === "drop",
      copy: s >= 0 && type === "deliver" && copies[s] > 0,
    });
    if (s >= 0) ended[s] = 1;
    if (s >= 0 && type === "deliver") {
      copies[s]++;
      took.push(r.time[i] - r.time[s]);
    }
  }
  for (let i = 0; i < n; i++)
    if (r.type[i] === "send" && !ended[i])
      flights.push({
        s: i,
        e: -1,
        label: kinds[r.kind[i]][2],
        from: r.node[i],
        to: r.peer[i],
        dropped: false,
        copy: false,
      });
  took.sort((x, y) => x - y);
  const usual = took.length ? took[took.length >> 1] : (d.stop - d.start) / 10;
  for (const f of flights) {
    /* as Flights.drawn in Python */
    f.part = 1;
    f.x0 = f.s >= 0 ? r.time[f.s] : r.time[f.e] - usual;
    f.x1 = f.e >= 0 ? r.time[f.e] : Math.min(f.x0 + usual, d.stop);
    if (f.e < 0) f.part = usual > 0 ? Math.min(0.9, Math.max(0.05, (f.x1 - f.x0) / usual)) : 0.5;
    else if (f.dropped && f.x1 - f.x0 < usual / 4) {
      f.x1 = f.x0 + usual / 2;
      f.part = 0.5;
    } else if (f.dropped) f.part = 0.85;
  }
  return flights.sort((x, y) => x.x0 - y.x0);
}

/* Stretches of time on the lanes: states, crashed, paused; and the faults of the plan. */
function distlabStretches(d, r) {
  const out = { state: [], down: [], paused: [], faults: [] },
    state = new Map(),
    down = new Map(),
    paused = new Map();
  const faults = new Map();
  for (const [node, label] of d.states0) state.set(node, { node, x0: d.start, label, i: -1 });
  for (const node of d.down0) down.set(node, { node, x0: -Infinity, i: -1 });
  for (const node of d.paused0) paused.set(node, { node, x0: d.start, i: -1 });
  d.faults0.forEach(([name, node, peer], k) =>
    faults.set(`${name} ${node} ?${k}`, { name, node, peer, x0: -Infinity }),
  );
  const close = (open, list, node, t) => {
    const s = open.get(node);
    if (s) {
      s.x1 = t;
      list.push(s);
      open.delete(node);
    }
  };
  for (let i = 0; i < r.n; i++) {
    const type = r.type[i],
      node = r.node[i],
      t = r.time[i],
      k = d.kinds[r.kind[i]];
    if (type === "state") {
      close(state, out.state, node, t);
      state.set(node, { node, x0: t, label: k[2], i });
    } else if (type === "crash") {
      close(state, out.state, node, t);
      close(paused, out.paused, node, t);
      close(down, out.down, node, t);
      down.set(node, { node, x0: t, i });
    } else if (type === "restart") close(down, out.down, node, t);
    else if (type === "pause") {
      close(paused, out.paused, node, t);
      paused.set(node, { node, x0: t, i });
    } else if (type === "wake") close(paused, out.paused, node, t);
    else if ((type === "fault" || type === "heal") && k[1] !== "crash" && k[1] !== "pause") {
      let key = `${k[1]} ${node} ${r.a[i]}`;
      if (d.instant.includes(k[1])) out.faults.push({ name: k[1], node, peer: r.peer[i], x0: t, x1: t });
      else if (type === "fault") faults.set(key, { name: k[1], node, peer: r.peer[i], x0: t });
      else {
        if (!faults.has(key)) key = [...faults.keys()].find(q => q.startsWith(`${k[1]} ${node} ?`)) || key;
        if (!faults.has(key)) faults.set(key, { name: k[1], node, peer: r.peer[i], x0: -Infinity });
        close(faults, out.faults, key, t);
      }
    }
  }
  for (const [open, list] of [
    [state, out.state],
    [down, out.down],
    [paused, out.paused],
    [faults, out.faults],
  ])
    for (const key of [...open.keys()]) close(open, list, key, Infinity);
  return out;
}

/* What is done to a node or its messages is no event of its life. */
const DISTLAB_DONE_TO = new Set(["drop", "duplicate", "fault", "heal", "broken"]);

/* What may have caused event `root` (1), what it may have caused (2), itself (3), the rest (0). */
function distlabCone(r, nodes, root) {
  const mark = new Uint8Array(r.n),
    later = new Uint8Array(nodes),
    earlier = new Uint8Array(nodes);
  later[r.node[root]] = 1;
  for (let i = root + 1; i < r.n; i++) {
    const node = r.node[i];
    if (node < 0 || DISTLAB_DONE_TO.has(r.type[i])) continue;
    const s = r.type[i] === "deliver" ? r.sent[i] : -1;
    if (later[node] || (s >= 0 && (mark[s] === 2 || s === root))) {
      mark[i] = 2;
      later[node] = 1;
    }
  }
  const wanted = new Uint8Array(r.n);
  earlier[r.node[root]] = 1;
  for (let i = root; i >= 0; i--) {
    const node = r.node[i];
    if (node < 0 || DISTLAB_DONE_TO.has(r.type[i]) || !(earlier[node] || wanted[i])) continue;
    earlier[node] = 1;
    mark[i] = 1;
    if (r.type[i] === "deliver" && r.sent[i] >= 0) wanted[r.sent[i]] = 1;
  }
  mark[root] = 3;
  return mark;
}

const DISTLAB_UNITS = [
  ["s", 1],
  ["ms", 1e-3],
  ["µs", 1e-6],
  ["ns", 1e-9],
];

/* Words: what a record says. */
function distlabWords(d, r) {
  const units = DISTLAB_UNITS;
  const span = Math.max(d.stop - d.start, 1e-9);
  const [unit, scale] = units.find(u => span >= 5 * u[1]) || units[3];
  const short = x => {
    if (!(Math.abs(x) > 0)) return "0 s";
    const [name, one] = units.find(u => Math.abs(x) >= u[1]) || units[3];
    return `${+(x / one).toPrecision(4)} ${name}`;
  };
  const digits = Math.max(0, Math.round(Math.log10(scale / d.tick)));
  const when = t => `${(t / scale).toFixed(Math.min(digits, 6))} ${unit}`;
  const pick = (names, k) => (names[k] === undefined ? String(k) : names[k]);
  function says(i) {
    const k = d.kinds[r.kind[i]],
      parts = [];
    for (const [at, column, value] of [
      [3, "a", r.a[i]],
      [4, "b", r.b[i]],
      [5, "id", r.id[i]],
    ]) {
      if (
        !k[at] ||
        value === undefined ||
        (!value && (column === "id" || (column === "a" && k[0] === "persisted")))
      )
        continue;
      const text =
        k[6] === column
          ? pick(k[7], value)
          : k[6] === "time" && column === "b"
            ? when(d.start + value * d.tick)
            : value;
      parts.push(`${k[at]} ${text}`);
    }
    return parts.join(", ");
  }
  const name = node => (node >= 0 && node < d.nodes.length ? d.nodes[node] : "everybody else");
  const title = i => {
    const k = d.kinds[r.kind[i]];
    return k[1];
  };
  function flight(f) {
    const i = f.s >= 0 ? f.s : f.e,
      payload = says(i),
      lines = [];
    const head = title(i) + (f.copy ? " (a copy)" : "");
    lines.push(payload);
    lines.push(`${name(f.from)} → ${name(f.to)}`);
    if (f.s >= 0) lines.push(`sent ${when(r.time[f.s])}`);
    if (f.dropped) lines.push(`lost ${when(r.time[f.e])}: ${pick(d.kinds[r.kind[f.e]][7], r.a[f.e])}`);
    else if (f.e >= 0)
      lines.push(
        `received ${when(r.time[f.e])}` + (f.s >= 0 ? `, latency ${short(r.time[f.e] - r.time[f.s])}` : ""),
      );
    else lines.push("still on its way at the end");
    return [head, lines.filter(Boolean)];
  }
  function record(i) {
    const k = d.kinds[r.kind[i]],
      payload = says(i);
    const head = k[0] === k[1] || !k[1] ? k[0] : `${k[0]} ${k[1]}`;
    const where = r.node[i] >= 0 ? name(r.node[i]) : "";
    return [head, [payload, where, when(r.time[i])].filter(Boolean)];
  }
  return { unit, scale, when, short, says, name, title, flight, record };
}
