/* Parts of the diagram that stand by themselves: shapes of marks, the legend, the axis of time. */
"use strict";

const DISTLAB_GROUPS = {
  set: "timers",
  cancel: "timers",
  fire: "timers",
  request: "requests",
  reply: "requests",
  apply: "applies",
  note: "notes",
  persist: "disk",
  persisted: "disk",
};
const DISTLAB_FONT = "system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif";

function distlabMake(tag, name, parent, text) {
  const e = document.createElement(tag);
  if (name) e.className = name;
  if (text) e.textContent = text;
  parent.append(e);
  return e;
}

/* The shape of a mark, as a path around (x, y); true: filled. */
function distlabShape(g, type, x, y, q) {
  g.beginPath();
  switch (type) {
    case "request":
      g.moveTo(x - q, y - q);
      g.lineTo(x + q, y - q);
      g.lineTo(x, y + q);
      g.closePath();
      return true;
    case "reply":
      g.moveTo(x - q, y + q);
      g.lineTo(x + q, y + q);
      g.lineTo(x, y - q);
      g.closePath();
      return true;
    case "apply":
      g.moveTo(x, y - q - 1);
      g.lineTo(x + q + 1, y);
      g.lineTo(x, y + q + 1);
      g.lineTo(x - q - 1, y);
      g.closePath();
      return true;
    case "note":
      g.rect(x - q + 0.5, y - q + 0.5, 2 * q - 1, 2 * q - 1);
      return false;
    case "persist":
      g.moveTo(x - q, y + q);
      g.lineTo(x + q, y + q);
      g.moveTo(x, y - q);
      g.lineTo(x, y + q - 1);
      return false;
    case "persisted":
      g.rect(x - q, y - q + 1, 2 * q, 2 * q - 1);
      return true;
    case "cancel":
      g.moveTo(x - q + 1, y - q + 1);
      g.lineTo(x + q - 1, y + q - 1);
      g.moveTo(x + q - 1, y - q + 1);
      g.lineTo(x - q + 1, y + q - 1);
      return false;
    default:
      g.arc(x, y, q - 0.6, 0, 7);
      return type === "fire";
  }
}

/* One entry that can be switched off. */
function distlabEntry(v, key, text, count, draw) {
  const make = distlabMake;
  const b = make("button", "", v.legend);
  b.type = "button";
  b.dataset.key = key;
  b.setAttribute("aria-pressed", String(!v.hidden.has(key)));
  const icon = make("canvas", "", b),
    R = window.devicePixelRatio || 1;
  icon.width = 22 * R;
  icon.height = 12 * R;
  icon.style.cssText = "width:22px;height:12px;flex:none";
  const q = icon.getContext("2d");
  q.scale(R, R);
  draw(q);
  make("span", "", b, text).style.padding = "0";
  if (count !== null) make("small", "", b, count.toLocaleString("en").replace(/,/g, "\u202f"));
  b.onclick = () => {
    if (!v.hidden.delete(key)) v.hidden.add(key);
    b.setAttribute("aria-pressed", String(!v.hidden.has(key)));
    v.paint();
  };
}

/* The legend: what can be switched off, and what bands mean. */
function distlabLegend(v) {
  v.legend.textContent = "";
  distlabMessageKeys(v);
  if (v.perGroup.size && v.perKind.size) distlabMake("span", "gap", v.legend);
  distlabMarkKeys(v);
  const seen = [...new Set(v.lanes.state.map(s => s.label))].sort((x, y) => x - y);
  if (seen.length) distlabMake("span", "gap", v.legend);
  for (const label of seen) {
    const s = distlabMake("span", "", v.legend),
      look = "width:16px;height:10px;border-radius:2px;opacity:.55";
    distlabMake("i", "", s).style.cssText = `${look};background:${v.stateColour(label)}`;
    s.append(v.d.states[label] || `state ${label}`);
  }
}

function distlabMessageKeys(v) {
  const { ink, d, perKind } = v,
    entry = (...rest) => distlabEntry(v, ...rest);
  for (const label of [...perKind.keys()].sort((x, y) => x - y))
    entry(`m${label}`, d.messages[label] || `kind ${label}`, perKind.get(label), q => {
      q.strokeStyle = q.fillStyle = v.messageColour(label);
      q.lineWidth = 2;
      q.setLineDash(v.messageDash(label));
      q.beginPath();
      q.moveTo(1, 6);
      q.lineTo(16, 6);
      q.stroke();
      q.beginPath();
      q.moveTo(21, 6);
      q.lineTo(14, 2.5);
      q.lineTo(14, 9.5);
      q.fill();
    });
  if (v.lost)
    entry("lost", "lost", v.lost, q => {
      q.strokeStyle = ink.quiet;
      q.lineWidth = 1.6;
      q.setLineDash([3, 2.5]);
      q.beginPath();
      q.moveTo(1, 6);
      q.lineTo(14, 6);
      q.stroke();
      q.setLineDash([]);
      q.strokeStyle = ink.bad;
      q.beginPath();
      q.moveTo(12, 2.5);
      q.lineTo(19, 9.5);
      q.moveTo(19, 2.5);
      q.lineTo(12, 9.5);
      q.stroke();
    });
  if (v.copies)
    entry("copy", "copy", v.copies, q => {
      q.strokeStyle = ink.quiet;
      q.lineWidth = 1.6;
      q.setLineDash([2, 2]);
      q.beginPath();
      q.moveTo(1, 6);
      q.lineTo(20, 6);
      q.stroke();
    });
}

function distlabMarkKeys(v) {
  const { ink, perGroup } = v,
    entry = (...rest) => distlabEntry(v, ...rest);
  const shapes = {
    timers: ["set", "fire"],
    requests: ["request", "reply"],
    applies: ["apply"],
    notes: ["note"],
    disk: ["persist", "persisted"],
  };
  for (const [group, text] of [
    ["timers", "timer set, fired"],
    ["requests", "request, reply"],
    ["applies", "apply"],
    ["notes", "note"],
    ["disk", "write, durable"],
  ])
    if (perGroup.has(group))
      entry(group, text, perGroup.get(group), q =>
        shapes[group].forEach((type, k) => {
          q.strokeStyle = q.fillStyle =
            group === "applies" ? ink.series[2] : group === "timers" ? ink.quiet : ink.ink;
          q.lineWidth = 1.2;
          distlabShape(q, type, shapes[group].length > 1 ? 6 + 11 * k : 11, 6, 3.6) ? q.fill() : q.stroke();
        }),
      );
}

/* Lines of the grid, or ticks with numbers below the lanes. */
function distlabAxis(v, g, grid) {
  const { lo, hi, L, W, T, H, B, X, words, ink } = v;
  const rough = (hi - lo) / words.scale / Math.max(2, (W - L) / 110),
    ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(k => k * ten).find(k => k >= rough),
    digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  g.font = `11px ${DISTLAB_FONT}`;
  g.lineWidth = 1;
  const from = Math.ceil(lo / words.scale / step),
    to = Math.floor(hi / words.scale / step);
  g.strokeStyle = grid ? ink.grid : ink.line;
  g.fillStyle = ink.quiet;
  g.textAlign = "center";
  g.beginPath();
  for (let k = from; k <= to && k - from < 60; k++) {
    const x = Math.round(X(k * step * words.scale)) + 0.5;
    if (x < L - 4) continue;
    if (grid) {
      g.moveTo(x, T - 2);
      g.lineTo(x, H - B);
    } else {
      g.moveTo(x, H - B);
      g.lineTo(x, H - B + 4);
      g.fillText((k * step).toFixed(digits).replace("-", "\u2212"), x, H - B + 16);
    }
  }
  if (!grid) {
    g.moveTo(L - 4, H - B + 0.5);
    g.lineTo(W, H - B + 0.5);
    g.fillText(`time (${words.unit})`, L + (W - L) / 2, H - 5);
  }
  g.stroke();
  g.textAlign = "left";
}
