/* Painting the diagram and moving about in it. */
"use strict";

const DISTLAB_DENSE = 2500, DISTLAB_LABELS = 70, DISTLAB_MARKS = 1500;

function distlabDiagram(el, d) {
  const r = distlabDecode(d), lanes = distlabStretches(d, r), words = distlabWords(d, r), n = d.nodes.length;
  const make = distlabMake;
  make("div", "caption", el, d.caption).title = d.recipe || d.caption;
  const legend = make("div", "legend", el), stage = make("div", "stage", el), canvas = make("canvas", "", stage);
  const over = make("canvas", "over", stage), o = over.getContext("2d");
  const tip = make("div", "tip", stage);
  const hint = make("div", "hint", el);
  hint.setAttribute("aria-live", "polite");
  const HINT = "wheel or + −: zoom · drag or ← →: move · double click or 0: all · click an event: causes and effects";
  hint.textContent = HINT;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", el.getAttribute("aria-label") || "");
  const g = canvas.getContext("2d"), dark = matchMedia("(prefers-color-scheme: dark)");
  const full = [d.start, d.stop > d.start ? d.stop : d.start + 1e-6], pad = (full[1] - full[0]) * 0.015;
  full[0] -= pad; full[1] += pad;
  let lo = full[0], hi = full[1], W = 0, H = 0, L = 60, T = 14, B = 36, S = 40, cone = null, root = -1, ink = {}, marks = [];
  const hidden = new Set(), X = t => L + (t - lo) / (hi - lo) * (W - L - 12), Y = k => T + S * (k + 0.5) - Math.min(4, S / 10);
  const Tof = x => lo + (x - L) / (W - L - 12) * (hi - lo);
  const events = [], broken = [], perKind = new Map(), perGroup = new Map();
  for (const f of r.flights) perKind.set(f.label, (perKind.get(f.label) || 0) + 1);
  for (let i = 0; i < r.n; i++) {
    const type = r.type[i], group = DISTLAB_GROUPS[type];
    if (group) { events.push(i); perGroup.set(group, (perGroup.get(group) || 0) + 1); }
    if (type === "broken") broken.push(i);
  }
  const lost = r.flights.filter(f => f.dropped).length, copies = r.flights.filter(f => f.copy).length;
  if (perGroup.get("timers") > 100) hidden.add("timers"); /* many and dull: one click away */

  function colours() {
    const css = getComputedStyle(document.documentElement);
    for (const name of ["paper", "ink", "quiet", "line", "grid", "bad", "past", "future", "hatch", "fault"])
      ink[name] = css.getPropertyValue(`--${name}`).trim();
    ink.series = dark.matches ? d.dark : d.light;
  }
  const messageColour = label => ink.series[label % ink.series.length];
  const messageDash = label => label < ink.series.length ? [] : [9, 3];
  const stateColour = label => label === 0 ? ink.line : ink.series[[4, 2, 0, 3, 1, 5][(label - 1) % 6]];

  const drawLegend = () => distlabLegend({ legend, ink, d, hidden, lanes, lost, copies, perKind, perGroup, paint,
    messageColour, messageDash, stateColour });

  /* Painting. */
  const box = () => ({ lo, hi, L, W, T, H, B, X, words, ink });
  function size() {
    const R = window.devicePixelRatio || 1, box = stage.getBoundingClientRect();
    W = Math.max(160, box.width); H = Math.max(60, box.height);
    canvas.width = Math.round(W * R); canvas.height = Math.round(H * R);
    g.setTransform(R, 0, 0, R, 0, 0);
    over.width = canvas.width; over.height = canvas.height;
    o.setTransform(R, 0, 0, R, 0, 0);
    g.font = `12px ${DISTLAB_FONT}`;
    L = Math.min(W * 0.3, 16 + Math.max(20, ...d.nodes.map(name => g.measureText(name).width)));
    T = lanes.faults.length || broken.length ? 36 : 8;
    S = (H - T - B) / Math.max(1, n);
  }
  const dim = () => cone ? 0.13 : 1;
  const clip = () => { g.save(); g.beginPath(); g.rect(L - 4, 0, W - L + 4, H - B + 2); g.clip(); };

  function paintFaults() {
    const rows = [-Infinity, -Infinity];
    g.font = `11px ${DISTLAB_FONT}`;
    for (const f of lanes.faults) {
      if (f.x1 < lo || f.x0 > hi) continue;
      const a = Math.max(L - 4, X(f.x0)), b = Math.min(W, X(f.x1));
      g.fillStyle = ink.fault;
      if (f.node < 0) g.fillRect(a, T - 2, Math.max(1, b - a), H - T - B + 2);
      else for (const k of f.peer >= 0 ? [f.node, f.peer] : [f.node]) g.fillRect(a, Y(k) - S / 2 + 3, Math.max(1, b - a), S - 6);
      const row = a >= rows[0] ? 0 : 1;
      g.fillStyle = ink.bad;
      g.globalAlpha = 0.8;
      g.fillRect(a, 13 + 14 * row, Math.max(1.5, b - a), 2);
      g.globalAlpha = 1;
      const text = f.name.replace(/_/g, " ") + (f.node >= 0 ? ` ${words.name(f.node)}` : "") + (f.peer >= 0 ? ` / ${words.name(f.peer)}` : "");
      const wide = g.measureText(text).width;
      if (a >= rows[row] && a + wide < W) { g.fillText(text, a, 10 + 14 * row); rows[row] = Math.max(a + wide + 10, b); }
    }
  }

  const bandHeight = () => S >= 26 ? Math.min(15, S * 0.26) : Math.max(2, S * 0.2);

  /* Text that keeps clear of other text: points along what is written, not nearer to each other than a line. */
  let taken = [];
  const free = points => points.every(([x, y]) => taken.every(([u, v]) => (u - x) ** 2 + (v - y) ** 2 > 110));
  function along(x, y, wide, slope) {
    const points = [];
    for (let k = 0; k <= wide; k += 8) points.push([x + k * Math.cos(slope), y + k * Math.sin(slope)]);
    return points;
  }
  function write(text, x, y, colour, halo) {
    g.lineJoin = "round";
    g.strokeStyle = ink.paper;
    g.lineWidth = 3.5;
    if (halo) g.strokeText(text, x, y);
    g.fillStyle = colour;
    g.fillText(text, x, y);
  }

  /* Names of stretches: states in their bands, down and paused beside the lane, over the messages. */
  function paintNames(crossed) {
    const band = bandHeight(), inside = s => s.x1 >= lo && s.x0 <= hi;
    taken = [];
    g.font = `11px ${DISTLAB_FONT}`;
    for (const [list, text, colour] of [[lanes.down, "down", ink.bad], [lanes.paused, "paused", ink.hatch]])
      for (const s of list) {
        const a = Math.max(L, X(s.x0)), b = Math.min(W, X(s.x1)), wide = g.measureText(text).width;
        const y = Y(s.node) + (text === "down" ? 14 : -Math.min(6, S / 6) - 4);
        if (!inside(s) || b - a < wide + 16 || S < 26) continue;
        write(text, a + 10, y, colour, crossed);
        taken.push(...along(a + 10, y - 4, wide, 0));
      }
    if (band < 11) return;
    g.font = `${Math.min(11, band - 3)}px ${DISTLAB_FONT}`;
    g.globalAlpha = cone ? 0.35 : 1;
    for (const s of lanes.state) {
      if (!inside(s)) continue;
      const a = Math.max(L - 4, X(s.x0)), b = Math.min(W, X(s.x1)), y = Y(s.node) + band - 2;
      const payload = s.i >= 0 ? words.says(s.i) : "", name = d.states[s.label] || "";
      for (const text of [payload ? `${name}, ${payload}` : name, name]) {
        const wide = g.measureText(text).width;
        if (wide + 10 > b - a) continue;
        write(text, a + 5, y, ink.ink, crossed);
        taken.push(...along(a + 5, y - 4, wide, 0));
        break;
      }
    }
    g.globalAlpha = 1;
  }

  /* Bands of states: under the messages, but over them where they are too many to look through. */
  function paintBands(dense) {
    const band = bandHeight();
    for (const s of lanes.state) {
      if (s.x1 < lo || s.x0 > hi) continue;
      const a = Math.max(L - 4, X(s.x0)), b = Math.min(W, X(s.x1)), y = Y(s.node) + 2, wide = Math.max(0.8, b - a - 1);
      if (dense) { g.globalAlpha = 0.85; g.fillStyle = ink.paper; g.fillRect(a + 0.5, y, wide, band); }
      g.globalAlpha = (s.label === 0 ? 0.16 : dense ? 0.7 : 0.42) * (cone ? 0.4 : 1);
      g.fillStyle = stateColour(s.label);
      g.fillRect(a + 0.5, y, wide, band);
    }
    g.globalAlpha = 1;
  }

  function paintLanes() {
    const down = Array.from({ length: n }, () => []);
    for (const s of lanes.down) down[s.node].push(s);
    for (let k = 0; k < n; k++) {
      const y = Y(k);
      let x = L - 4;
      g.strokeStyle = ink.line;
      g.lineWidth = 1.4;
      g.beginPath();
      for (const s of down[k]) {
        if (s.x1 < lo || s.x0 > hi) continue;
        const a = X(s.x0), b = X(s.x1);
        if (a > x) { g.moveTo(x, y); g.lineTo(a, y); }
        x = Math.max(x, b);
      }
      if (x < W) { g.moveTo(x, y); g.lineTo(W, y); }
      g.stroke();
    }
    for (const s of lanes.down) {
      if (s.x1 < lo || s.x0 > hi) continue;
      const y = Y(s.node), a = Math.max(L - 4, X(s.x0)), b = Math.min(W, X(s.x1));
      g.setLineDash([1, 5]);
      g.strokeStyle = ink.bad;
      g.lineWidth = 1.2;
      g.beginPath(); g.moveTo(a, y); g.lineTo(b, y); g.stroke();
      g.setLineDash([]);
      g.lineWidth = 2.2;
      if (s.x0 >= lo) { g.beginPath(); g.moveTo(a - 5, y - 5); g.lineTo(a + 5, y + 5); g.moveTo(a + 5, y - 5); g.lineTo(a - 5, y + 5); g.stroke(); }
      if (s.x1 <= hi) { g.strokeStyle = ink.line; g.beginPath(); g.moveTo(b, y - 6); g.lineTo(b, y + 6); g.stroke(); }
    }
    for (const s of lanes.paused) {
      if (s.x1 < lo || s.x0 > hi) continue;
      const y = Y(s.node), a = Math.max(L - 4, X(s.x0)), b = Math.min(W, X(s.x1)), h = Math.min(6, S / 6);
      g.save();
      g.beginPath(); g.rect(a, y - h, Math.max(2, b - a), 2 * h); g.clip();
      g.fillStyle = ink.paper; g.fillRect(a, y - h, b - a, 2 * h);
      g.strokeStyle = ink.hatch; g.lineWidth = 1.5;
      g.beginPath();
      for (let x = a - (a % 6) - 12; x < b + 12; x += 6) { g.moveTo(x, y + h); g.lineTo(x + 2 * h, y - h); }
      g.stroke();
      g.restore();
      g.strokeStyle = ink.hatch; g.lineWidth = 1; g.strokeRect(a, y - h, Math.max(2, b - a), 2 * h);
    }
  }

  const flightShown = f => !hidden.has(`m${f.label}`) && !(f.dropped && hidden.has("lost")) && !(f.copy && hidden.has("copy")) && f.x1 >= lo && f.x0 <= hi;
  const flightEnd = f => { const y0 = Y(f.from); return [X(f.x1), y0 + (Y(f.to) - y0) * f.part]; };
  /* 1: all of it in the past of the chosen event, 2: in its future, 0: neither. */
  function side(f) {
    const s = f.s >= 0 ? cone[f.s] : 0, e = f.e >= 0 ? cone[f.e] : 0;
    if ((e === 1 || e === 3) && !f.dropped) return 1;
    return s === 2 || s === 3 ? 2 : 0;
  }

  function paintFlights() {
    const shown = [], dense = [];
    for (const f of r.flights) if (flightShown(f)) shown.push(f);
    const many = shown.length, thin = many < 300 ? 1.4 : many < 1500 ? 1 : many < 6000 ? 0.7 : 0.5;
    const batches = new Map();
    const last = many > DISTLAB_DENSE ? new Map() : null, near = many > 10000 ? 1 : 0.6;
    for (const f of shown) {
      const style = cone ? side(f) : 0;
      if (last) { /* lines that would fall on the line before them are left out */
        const key = ((f.label * n + f.from) * n + f.to) * 8 + style * 2 + (f.dropped ? 1 : 0), x = X(f.x0), z = X(f.x1), p = last.get(key);
        if (p && Math.abs(p[0] - x) < near && Math.abs(p[1] - z) < near) continue;
        if (p) { p[0] = x; p[1] = z; } else last.set(key, [x, z]);
      }
      const key = `${style} ${f.label} ${f.dropped ? 2 : f.copy ? 1 : 0}`;
      if (!batches.has(key)) batches.set(key, []);
      batches.get(key).push(f);
    }
    for (const key of [...batches.keys()].sort()) {
      const [style, label, way] = key.split(" ").map(Number);
      const colour = style === 1 ? ink.past : style === 2 ? ink.future : messageColour(label);
      g.strokeStyle = g.fillStyle = colour;
      g.globalAlpha = style ? 1 : (many > DISTLAB_DENSE ? 0.7 : 0.9) * dim();
      g.lineWidth = style ? Math.max(1.8, thin) : thin;
      g.setLineDash(way === 2 ? [5, 4] : way === 1 ? [2, 2] : style ? [] : messageDash(label));
      const list = batches.get(key);
      for (let k = 0; k < list.length; k += 400) {
        g.beginPath();
        for (const f of list.slice(k, k + 400)) {
          const [x, y] = flightEnd(f);
          g.moveTo(X(f.x0), Y(f.from));
          g.lineTo(x, y);
        }
        g.stroke();
      }
      if (many <= DISTLAB_DENSE || style) dense.push([list, way, colour, style]);
    }
    g.setLineDash([]);
    for (const [list, way, colour, style] of dense) paintEnds(list, way, colour, style, many);
    if (many > DISTLAB_DENSE && !cone) paintCrosses(shown.filter(f => f.dropped), 2);
    g.globalAlpha = 1;
    return shown;
  }

  function paintEnds(list, way, colour, style, many) {
    const q = many < 300 ? 6 : 4;
    g.globalAlpha = style ? 1 : dim();
    if (way === 2) return paintCrosses(list, many < 300 ? 4 : 3);
    g.fillStyle = colour;
    g.beginPath();
    for (const f of list) {
      if (f.part < 1) continue;
      const [x, y] = flightEnd(f), slope = Math.atan2(y - Y(f.from), x - X(f.x0));
      g.moveTo(x, y);
      g.lineTo(x - q * 1.5 * Math.cos(slope - 0.38), y - q * 1.5 * Math.sin(slope - 0.38));
      g.lineTo(x - q * 1.5 * Math.cos(slope + 0.38), y - q * 1.5 * Math.sin(slope + 0.38));
      g.closePath();
    }
    g.fill();
  }
  function paintCrosses(list, q) {
    g.strokeStyle = ink.bad;
    g.lineWidth = q > 3 ? 2 : 1.2;
    g.beginPath();
    for (const f of list) {
      const [x, y] = flightEnd(f);
      g.moveTo(x - q, y - q); g.lineTo(x + q, y + q); g.moveTo(x + q, y - q); g.lineTo(x - q, y + q);
    }
    g.stroke();
  }

  /* Marks stand above their lane; those that would cover another step up. */
  function paintMarks() {
    marks = [];
    const shown = events.filter(i => !hidden.has(DISTLAB_GROUPS[r.type[i]]) && r.node[i] >= 0 && r.time[i] >= lo && r.time[i] <= hi);
    const small = shown.length > 400, large = small ? 2.4 : 3.6, high = Math.max(0, Math.min(2, Math.floor(S * 0.3 / 8) - 1));
    if (shown.length > DISTLAB_MARKS) {
      g.strokeStyle = ink.quiet; g.lineWidth = 0.6; g.globalAlpha = 0.6 * dim();
      g.beginPath();
      const last = new Float64Array(n).fill(-9);
      for (const i of shown) {
        const x = X(r.time[i]), y = Y(r.node[i]);
        if (x - last[r.node[i]] < 0.9) continue;
        last[r.node[i]] = x;
        g.moveTo(x, y); g.lineTo(x, y - 5);
        marks.push([i, x, y - 3, 1]);
      }
      g.stroke();
      g.globalAlpha = 1;
      return;
    }
    const last = Array.from({ length: n }, () => []);
    g.lineWidth = small ? 0.9 : 1.2;
    for (const i of shown) {
      const node = r.node[i], x = X(r.time[i]), timer = DISTLAB_GROUPS[r.type[i]] === "timers", q = timer ? 0.75 * large : large;
      let level = 0;
      while (level < high && last[node][level] !== undefined && x - last[node][level] < 2 * large + 1.5) level++;
      last[node][level] = x;
      const y = Y(node) - large - 3.5 - level * (2 * large + 2), mark = cone ? cone[i] : 0;
      g.globalAlpha = cone && !mark ? 0.2 : 1;
      g.strokeStyle = g.fillStyle = mark === 1 ? ink.past : mark === 2 ? ink.future : r.type[i] === "apply" ? ink.series[2] : timer ? ink.quiet : ink.ink;
      distlabShape(g, r.type[i], x, y, q) ? g.fill() : g.stroke();
      marks.push([i, x, y, level]);
    }
    g.globalAlpha = 1;
  }

  /* The lanes of the cone, thick in its two colours. */
  function paintCone() {
    const last = new Array(n).fill(-1), first = new Array(n).fill(-1), opened = new Array(n).fill(-1);
    for (let i = 0; i < r.n; i++) {
      const k = r.node[i], m = cone[i];
      if (k < 0) continue;
      if (m === 1 || m === 3) { last[k] = r.time[i]; if (opened[k] < 0) opened[k] = r.time[i]; }
      if ((m === 2 || m === 3) && first[k] < 0) first[k] = r.time[i];
    }
    g.lineWidth = 3.5;
    for (let k = 0; k < n; k++) {
      const draw = (a, b, colour) => { g.strokeStyle = colour; g.beginPath(); g.moveTo(Math.max(L - 4, a), Y(k)); g.lineTo(b, Y(k)); g.stroke(); };
      if (last[k] >= 0) draw(X(opened[k]), X(last[k]), ink.past);
      if (first[k] >= 0) draw(X(first[k]), W, ink.future);
    }
    const x = X(r.time[root]), y = Y(r.node[root]);
    g.fillStyle = ink.ink; g.strokeStyle = ink.paper; g.lineWidth = 2;
    g.beginPath(); g.arc(x, y, 6, 0, 7); g.fill(); g.stroke();
  }

  /* Names along messages and beside marks, where nothing else is. */
  function paintLabels(shown) {
    if (cone || shown.length > DISTLAB_LABELS || S < 24) return;
    g.textAlign = "center";
    const turned = (text, x, y, colour, slope) => {
      g.save();
      g.translate(x, y);
      g.rotate(slope);
      write(text, 0, 0, colour, true);
      g.restore();
    };
    g.font = `11px ${DISTLAB_FONT}`;
    for (const [i, x, y, level] of marks.length <= DISTLAB_LABELS ? marks : []) {
      if (level || DISTLAB_GROUPS[r.type[i]] === "timers" || DISTLAB_GROUPS[r.type[i]] === "disk") continue;
      const payload = words.says(i).split(", ").slice(0, 1).join("");
      for (const text of [payload ? `${words.title(i)} ${payload}` : words.title(i), words.title(i)]) {
        const wide = g.measureText(text).width, points = along(x + 8, y, wide, 0);
        const near = marks.some(m => m[0] !== i && Math.abs(m[2] - y) < 9 && m[1] > x && m[1] < x + wide + 12);
        if (near || x + wide + 10 > W || !free(points)) continue;
        turned(text, x + 7 + wide / 2, y + 4, ink.quiet, 0);
        taken.push(...points, [x, y]);
        break;
      }
    }
    for (const f of shown) {
      const [x1, y1] = flightEnd(f), x0 = X(f.x0), y0 = Y(f.from), long = Math.hypot(x1 - x0, y1 - y0);
      let slope = Math.atan2(y1 - y0, x1 - x0);
      if (Math.abs(slope) > Math.PI / 2) slope += Math.PI;
      const i = f.s >= 0 ? f.s : f.e, name = words.title(i), payload = words.says(i);
      const texts = f.dropped && f.s >= 0 ? [`${name}: ${words.says(f.e).split(", ")[0].replace("reason ", "")}`, name] : payload ? [`${name} (${payload})`, name] : [name];
      place: for (const text of texts) for (const part of [0.5, 0.36, 0.64]) {
        const wide = g.measureText(text).width;
        if (wide > long * 0.72) continue;
        const up = 5, cx = x0 + (x1 - x0) * part + up * Math.sin(slope), cy = y0 + (y1 - y0) * part - up * Math.cos(slope);
        const points = along(cx - wide / 2 * Math.cos(slope), cy - wide / 2 * Math.sin(slope), wide, slope), end = points[points.length - 1];
        if (Math.min(points[0][0], end[0]) < L || Math.max(points[0][0], end[0]) > W || !free(points)) continue;
        turned(text, cx, cy, messageColour(f.label), slope);
        taken.push(...points);
        break place;
      }
    }
    g.textAlign = "left";
  }

  function paintBroken() {
    let right = 0;
    for (const i of broken) {
      const x = X(r.time[i]), text = `${words.title(i)} broken`;
      if (x < L - 4 || x > W) continue;
      g.strokeStyle = g.fillStyle = ink.bad;
      g.lineWidth = 2;
      g.beginPath(); g.moveTo(x, 16); g.lineTo(x, H - B); g.stroke();
      g.font = `bold 11px ${DISTLAB_FONT}`;
      const wide = g.measureText(text).width, at = x + 4 + wide < W ? x + 4 : x - 4 - wide;
      if (at < right) continue;
      g.strokeStyle = ink.paper; g.lineWidth = 4; g.strokeText(text, at, 26); g.fillText(text, at, 26);
      right = at + wide + 8;
    }
  }

  function paint() {
    const begun = performance.now();
    g.clearRect(0, 0, W, H);
    g.fillStyle = ink.paper;
    g.fillRect(0, 0, W, H);
    distlabAxis(box(), g, true);
    clip();
    paintFaults();
    let dense = 0;
    for (const f of r.flights) dense += flightShown(f);
    dense = dense > DISTLAB_DENSE;
    if (!dense) paintBands(false);
    paintLanes();
    const shown = paintFlights();
    if (dense) paintBands(true);
    paintNames(shown.length > 0);
    paintMarks();
    if (cone) paintCone();
    paintLabels(shown);
    paintBroken();
    g.restore();
    distlabAxis(box(), g, false);
    g.font = `${Math.max(8, Math.min(12, S * 0.8))}px ${DISTLAB_FONT}`;
    g.fillStyle = ink.ink;
    g.textAlign = "right";
    for (let k = 0; k < n; k++) if (S >= 9 || k % Math.ceil(9 / S) === 0) g.fillText(d.nodes[k], L - 10, Y(k) + 4);
    g.textAlign = "left";
    Object.assign(el.dataset, { ms: (performance.now() - begun).toFixed(1), visible: shown.length, from: lo, to: hi, left: L,
      cone: cone ? `${cone.filter(m => m === 1).length},${cone.filter(m => m === 2).length}` : "" });
  }

  /* What lies under the pointer: a mark, an end of a message, or a message. */
  function under(x, y) {
    let best = null, least = 7;
    for (const [i, u, v] of marks) {
      const away = Math.hypot(x - u, y - v);
      if (away < least) { least = away; best = { i, x: u, y: v }; }
    }
    for (const list of [lanes.down, lanes.paused, lanes.state]) for (const s of list) for (const [t, k] of [[s.x0, s.i]]) {
      if (k < 0 || t < lo || t > hi) continue;
      const away = Math.hypot(x - X(t), y - Y(s.node)) + 1;
      if (away < least) { least = away; best = { i: k, x: X(t), y: Y(s.node) }; }
    }
    for (const i of broken) if (Math.abs(x - X(r.time[i])) < 3 && !best) best = { i, x, y };
    if (best) return best;
    least = 6;
    for (const f of r.flights) {
      if (!flightShown(f)) continue;
      const x0 = X(f.x0), y0 = Y(f.from), [x1, y1] = flightEnd(f);
      if (Math.min(x0, x1) - 6 > x || Math.max(x0, x1) + 6 < x || Math.min(y0, y1) - 6 > y || Math.max(y0, y1) + 6 < y) continue;
      const long = (x1 - x0) ** 2 + (y1 - y0) ** 2 || 1, u = Math.max(0, Math.min(1, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / long));
      const away = Math.hypot(x - x0 - u * (x1 - x0), y - y0 - u * (y1 - y0));
      if (away < least) {
        least = away;
        const late = f.e >= 0 && (u > 0.5 || f.s < 0) && !f.dropped;
        best = { f, i: late ? f.e : f.s >= 0 ? f.s : f.e, x: x0 + u * (x1 - x0), y: y0 + u * (y1 - y0) };
      }
    }
    return best;
  }

  /* The message or mark under the pointer, thick, on a sheet of its own. */
  function point(found) {
    o.clearRect(0, 0, W, H);
    if (!found) { tip.style.display = "none"; return; }
    o.strokeStyle = found.f ? messageColour(found.f.label) : ink.ink;
    o.lineWidth = found.f ? 3 : 1.5;
    o.beginPath();
    if (found.f) { o.moveTo(X(found.f.x0), Y(found.f.from)); o.lineTo(...flightEnd(found.f)); } else o.arc(found.x, found.y, 7, 0, 7);
    o.stroke();
  }

  function hover(x, y) {
    const found = under(x, y);
    el.dataset.hover = "";
    canvas.style.cursor = found ? "pointer" : "";
    point(found);
    if (!found) return;
    const [head, lines] = found.f ? words.flight(found.f) : words.record(found.i);
    tip.textContent = "";
    make("b", "", tip, head);
    tip.append("\n" + lines.join("\n"));
    el.dataset.hover = [head, ...lines].join("; ");
    tip.style.display = "block";
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(0, Math.min(W - box.width, found.x + 14))}px`;
    tip.style.top = `${y + 16 + box.height < H ? y + 16 : Math.max(0, y - box.height - 12)}px`;
  }

  function choose(i) {
    root = i === undefined || r.node[i] < 0 || DISTLAB_DONE_TO.has(r.type[i]) ? -1 : i;
    cone = root >= 0 ? distlabCone(r, n, root) : null;
    paint();
    if (!cone) { hint.textContent = HINT; return; }
    const [head, lines] = words.record(root), [past, future] = el.dataset.cone.split(",");
    hint.textContent = `${head}, ${lines.join(", ")}: ${past} events may have caused it, ${future} may follow from it · Esc: back`;
  }

  function look(a, b) {
    const least = Math.max((full[1] - full[0]) * 1e-6, d.tick * 20), most = full[1] - full[0];
    let wide = Math.min(most, Math.max(least, b - a));
    a = Math.max(full[0], Math.min(full[1] - wide, a + (b - a - wide) / 2));
    lo = a; hi = a + wide;
    point(null);
    paint();
  }
  const zoom = (k, t = (lo + hi) / 2) => look(t - (t - lo) * k, t + (hi - t) * k);
  const shift = part => look(lo + (hi - lo) * part, hi + (hi - lo) * part);

  canvas.addEventListener("wheel", e => {
    const whole = hi - lo >= (full[1] - full[0]) * 0.999;
    if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) { if (!whole) { e.preventDefault(); shift(e.deltaX / W); } return; }
    if (e.deltaY > 0 && whole) return; /* nothing to zoom out of: the page scrolls */
    e.preventDefault();
    zoom(Math.exp(Math.max(-0.5, Math.min(0.5, e.deltaY * 0.003))), Tof(Math.max(L, e.offsetX)));
  }, { passive: false });
  let drag = null;
  canvas.onpointerdown = e => { drag = { x: e.offsetX, y: e.offsetY, lo, hi, moved: false }; canvas.setPointerCapture(e.pointerId); };
  canvas.onpointermove = e => {
    if (!drag) { hover(e.offsetX, e.offsetY); return; }
    if (Math.abs(e.offsetX - drag.x) > 4) drag.moved = true;
    if (!drag.moved) return;
    canvas.classList.add("drag");
    const by = (drag.x - e.offsetX) / (W - L - 12) * (drag.hi - drag.lo);
    look(drag.lo + by, drag.hi + by);
  };
  canvas.onpointerup = e => {
    const click = drag && !drag.moved;
    drag = null;
    canvas.classList.remove("drag");
    if (click) { const found = under(e.offsetX, e.offsetY); point(null); choose(found ? found.i : undefined); }
  };
  canvas.onpointercancel = () => { drag = null; canvas.classList.remove("drag"); };
  canvas.onpointerleave = () => point(null);
  canvas.ondblclick = () => look(...full);
  canvas.onkeydown = e => {
    const act = { ArrowLeft: () => shift(-0.15), ArrowRight: () => shift(0.15), "+": () => zoom(0.7), "=": () => zoom(0.7), "-": () => zoom(1 / 0.7),
      ArrowUp: () => zoom(0.7), ArrowDown: () => zoom(1 / 0.7), 0: () => look(...full), Home: () => look(...full), Escape: () => choose() }[e.key];
    if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    act();
  };
  const renew = () => { colours(); drawLegend(); size(); paint(); };
  dark.addEventListener("change", renew);
  new ResizeObserver(() => { size(); paint(); }).observe(stage);
  el.addEventListener("repaint", paint);
  renew();
  el.dataset.ready = "1";
}
