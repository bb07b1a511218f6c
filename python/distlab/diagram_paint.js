/* The ground of the diagram: scales, faults, lanes with their stretches, and messages. */
"use strict";

const DISTLAB_DENSE = 2500;

class DistlabScene {
  constructor(el, d) {
    this.el = el;
    this.d = d;
    this.r = distlabDecode(this.d);
    this.lanes = distlabStretches(this.d, this.r);
    this.words = distlabWords(this.d, this.r);
    this.n = this.d.nodes.length;
    distlabMake("div", "caption", this.el, this.d.caption).title = this.d.recipe || this.d.caption;
    this.legend = distlabMake("div", "legend", this.el);
    this.stage = distlabMake("div", "stage", this.el);
    this.canvas = distlabMake("canvas", "", this.stage);
    this.over = distlabMake("canvas", "over", this.stage);
    this.o = this.over.getContext("2d");
    this.tip = distlabMake("div", "tip", this.stage);
    this.hint = distlabMake("div", "hint", this.el);
    this.hint.setAttribute("aria-live", "polite");
    this.hint.textContent = DISTLAB_HINT;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", this.el.getAttribute("aria-label") || "");
    this.g = this.canvas.getContext("2d");
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.full = [this.d.start, this.d.stop > this.d.start ? this.d.stop : this.d.start + 1e-6];
    this.pad = (this.full[1] - this.full[0]) * 0.015;
    this.full[0] -= this.pad;
    this.full[1] += this.pad;
    this.lo = this.full[0];
    this.hi = this.full[1];
    this.W = 0;
    this.H = 0;
    this.L = 60;
    this.T = 14;
    this.B = 36;
    this.S = 40;
    this.cone = null;
    this.root = -1;
    this.ink = {};
    this.marks = [];
    this.hidden = new Set();
    this.events = [];
    this.broken = [];
    this.perKind = new Map();
    this.perGroup = new Map();
    for (const f of this.r.flights) this.perKind.set(f.label, (this.perKind.get(f.label) || 0) + 1);
    for (let i = 0; i < this.r.n; i++) {
      const type = this.r.type[i],
        group = DISTLAB_GROUPS[type];
      if (group) {
        this.events.push(i);
        this.perGroup.set(group, (this.perGroup.get(group) || 0) + 1);
      }
      if (type === "broken") this.broken.push(i);
    }
    this.lost = this.r.flights.filter(f => f.dropped).length;
    this.copies = this.r.flights.filter(f => f.copy).length;
    if (this.perGroup.get("timers") > 100) this.hidden.add("timers"); /* many and dull: one click away */
  }

  X = t => this.L + ((t - this.lo) / (this.hi - this.lo)) * (this.W - this.L - 12);

  Y = k => this.T + this.S * (k + 0.5) - Math.min(4, this.S / 10);

  Tof = x => this.lo + ((x - this.L) / (this.W - this.L - 12)) * (this.hi - this.lo);

  dim = () => (this.cone ? 0.13 : 1);

  messageColour = label => this.ink.series[label % this.ink.series.length];

  messageDash = label => (label < this.ink.series.length ? [] : [9, 3]);

  stateColour = label => (label === 0 ? this.ink.line : this.ink.series[[4, 2, 0, 3, 1, 5][(label - 1) % 6]]);

  /* Painting. */
  box = () => ({
    lo: this.lo,
    hi: this.hi,
    L: this.L,
    W: this.W,
    T: this.T,
    H: this.H,
    B: this.B,
    X: this.X,
    words: this.words,
    ink: this.ink,
  });

  clip = () => {
    this.g.save();
    this.g.beginPath();
    this.g.rect(this.L - 4, 0, this.W - this.L + 4, this.H - this.B + 2);
    this.g.clip();
  };

  bandHeight = () => (this.S >= 26 ? Math.min(15, this.S * 0.26) : Math.max(2, this.S * 0.2));

  flightShown = f =>
    !this.hidden.has(`m${f.label}`) &&
    !(f.dropped && this.hidden.has("lost")) &&
    !(f.copy && this.hidden.has("copy")) &&
    f.x1 >= this.lo &&
    f.x0 <= this.hi;

  flightEnd = f => {
    const y0 = this.Y(f.from);
    return [this.X(f.x1), y0 + (this.Y(f.to) - y0) * f.part];
  };

  /* many and dull: one click away */
  colours() {
    const css = getComputedStyle(document.documentElement);
    for (const name of ["paper", "ink", "quiet", "line", "grid", "bad", "past", "future", "hatch", "fault"])
      this.ink[name] = css.getPropertyValue(`--${name}`).trim();
    this.ink.series = this.dark.matches ? this.d.dark : this.d.light;
  }

  drawLegend = () =>
    distlabLegend({
      legend: this.legend,
      ink: this.ink,
      d: this.d,
      hidden: this.hidden,
      lanes: this.lanes,
      lost: this.lost,
      copies: this.copies,
      perKind: this.perKind,
      perGroup: this.perGroup,
      paint: () => this.paint(),
      messageColour: this.messageColour,
      messageDash: this.messageDash,
      stateColour: this.stateColour,
    });

  size() {
    const R = window.devicePixelRatio || 1,
      box = this.stage.getBoundingClientRect();
    this.W = Math.max(160, box.width);
    this.H = Math.max(60, box.height);
    this.canvas.width = Math.round(this.W * R);
    this.canvas.height = Math.round(this.H * R);
    this.g.setTransform(R, 0, 0, R, 0, 0);
    this.over.width = this.canvas.width;
    this.over.height = this.canvas.height;
    this.o.setTransform(R, 0, 0, R, 0, 0);
    this.g.font = `12px ${DISTLAB_FONT}`;
    this.L = Math.min(
      this.W * 0.3,
      16 + Math.max(20, ...this.d.nodes.map(name => this.g.measureText(name).width)),
    );
    this.T = this.lanes.faults.length || this.broken.length ? 36 : 8;
    this.S = (this.H - this.T - this.B) / Math.max(1, this.n);
  }

  paintFaults() {
    const rows = [-Infinity, -Infinity];
    this.g.font = `11px ${DISTLAB_FONT}`;
    for (const f of this.lanes.faults) {
      if (f.x1 < this.lo || f.x0 > this.hi) continue;
      const a = Math.max(this.L - 4, this.X(f.x0)),
        b = Math.min(this.W, this.X(f.x1));
      this.g.fillStyle = this.ink.fault;
      if (f.node < 0) this.g.fillRect(a, this.T - 2, Math.max(1, b - a), this.H - this.T - this.B + 2);
      else
        for (const k of f.peer >= 0 ? [f.node, f.peer] : [f.node])
          this.g.fillRect(a, this.Y(k) - this.S / 2 + 3, Math.max(1, b - a), this.S - 6);
      const row = a >= rows[0] ? 0 : 1;
      this.g.fillStyle = this.ink.bad;
      this.g.globalAlpha = 0.8;
      this.g.fillRect(a, 13 + 14 * row, Math.max(1.5, b - a), 2);
      this.g.globalAlpha = 1;
      const text =
        f.name.replace(/_/g, " ") +
        (f.node >= 0 ? ` ${this.words.name(f.node)}` : "") +
        (f.peer >= 0 ? ` / ${this.words.name(f.peer)}` : "");
      const wide = this.g.measureText(text).width;
      if (a >= rows[row] && a + wide < this.W) {
        this.g.fillText(text, a, 10 + 14 * row);
        rows[row] = Math.max(a + wide + 10, b);
      }
    }
  }

  /* Bands of states: under the messages, but over them where they are too many to look through. */
  paintBands(dense) {
    const band = this.bandHeight();
    for (const s of this.lanes.state) {
      if (s.x1 < this.lo || s.x0 > this.hi) continue;
      const a = Math.max(this.L - 4, this.X(s.x0)),
        b = Math.min(this.W, this.X(s.x1)),
        y = this.Y(s.node) + 2,
        wide = Math.max(0.8, b - a - 1);
      if (dense) {
        this.g.globalAlpha = 0.85;
        this.g.fillStyle = this.ink.paper;
        this.g.fillRect(a + 0.5, y, wide, band);
      }
      this.g.globalAlpha = (s.label === 0 ? 0.16 : dense ? 0.7 : 0.42) * (this.cone ? 0.4 : 1);
      this.g.fillStyle = this.stateColour(s.label);
      this.g.fillRect(a + 0.5, y, wide, band);
    }
    this.g.globalAlpha = 1;
  }

  paintLanes() {
    const down = Array.from({ length: this.n }, () => []);
    for (const s of this.lanes.down) down[s.node].push(s);
    for (let k = 0; k < this.n; k++) {
      const y = this.Y(k);
      let x = this.L - 4;
      this.g.strokeStyle = this.ink.line;
      this.g.lineWidth = 1.4;
      this.g.beginPath();
      for (const s of down[k]) {
        if (s.x1 < this.lo || s.x0 > this.hi) continue;
        const a = this.X(s.x0),
          b = this.X(s.x1);
        if (a > x) {
          this.g.moveTo(x, y);
          this.g.lineTo(a, y);
        }
        x = Math.max(x, b);
      }
      if (x < this.W) {
        this.g.moveTo(x, y);
        this.g.lineTo(this.W, y);
      }
      this.g.stroke();
    }
    this.paintDown();
    this.paintPaused();
  }

  paintDown() {
    for (const s of this.lanes.down) {
      if (s.x1 < this.lo || s.x0 > this.hi) continue;
      const y = this.Y(s.node),
        a = Math.max(this.L - 4, this.X(s.x0)),
        b = Math.min(this.W, this.X(s.x1));
      this.g.setLineDash([1, 5]);
      this.g.strokeStyle = this.ink.bad;
      this.g.lineWidth = 1.2;
      this.g.beginPath();
      this.g.moveTo(a, y);
      this.g.lineTo(b, y);
      this.g.stroke();
      this.g.setLineDash([]);
      this.g.lineWidth = 2.2;
      if (s.x0 >= this.lo) {
        this.g.beginPath();
        this.g.moveTo(a - 5, y - 5);
        this.g.lineTo(a + 5, y + 5);
        this.g.moveTo(a + 5, y - 5);
        this.g.lineTo(a - 5, y + 5);
        this.g.stroke();
      }
      if (s.x1 <= this.hi) {
        this.g.strokeStyle = this.ink.line;
        this.g.beginPath();
        this.g.moveTo(b, y - 6);
        this.g.lineTo(b, y + 6);
        this.g.stroke();
      }
    }
  }

  paintPaused() {
    for (const s of this.lanes.paused) {
      if (s.x1 < this.lo || s.x0 > this.hi) continue;
      const y = this.Y(s.node),
        a = Math.max(this.L - 4, this.X(s.x0)),
        b = Math.min(this.W, this.X(s.x1)),
        h = Math.min(6, this.S / 6);
      this.g.save();
      this.g.beginPath();
      this.g.rect(a, y - h, Math.max(2, b - a), 2 * h);
      this.g.clip();
      this.g.fillStyle = this.ink.paper;
      this.g.fillRect(a, y - h, b - a, 2 * h);
      this.g.strokeStyle = this.ink.hatch;
      this.g.lineWidth = 1.5;
      this.g.beginPath();
      for (let x = a - (a % 6) - 12; x < b + 12; x += 6) {
        this.g.moveTo(x, y + h);
        this.g.lineTo(x + 2 * h, y - h);
      }
      this.g.stroke();
      this.g.restore();
      this.g.strokeStyle = this.ink.hatch;
      this.g.lineWidth = 1;
      this.g.strokeRect(a, y - h, Math.max(2, b - a), 2 * h);
    }
  }

  /* 1: all of it in the past of the chosen event, 2: in its future, 0: neither. */
  side(f) {
    const s = f.s >= 0 ? this.cone[f.s] : 0,
      e = f.e >= 0 ? this.cone[f.e] : 0;
    if ((e === 1 || e === 3) && !f.dropped) return 1;
    return s === 2 || s === 3 ? 2 : 0;
  }

  paintFlights() {
    const shown = [],
      dense = [];
    for (const f of this.r.flights) if (this.flightShown(f)) shown.push(f);
    const many = shown.length,
      thin = many < 300 ? 1.4 : many < 1500 ? 1 : many < 6000 ? 0.7 : 0.5;
    const batches = new Map();
    const last = many > DISTLAB_DENSE ? new Map() : null,
      near = many > 10000 ? 1 : 0.6;
    for (const f of shown) {
      const style = this.cone ? this.side(f) : 0;
      if (last) {
        /* lines that would fall on the line before them are left out */
        const key = ((f.label * this.n + f.from) * this.n + f.to) * 8 + style * 2 + (f.dropped ? 1 : 0),
          x = this.X(f.x0),
          z = this.X(f.x1),
          p = last.get(key);
        if (p && Math.abs(p[0] - x) < near && Math.abs(p[1] - z) < near) continue;
        if (p) {
          p[0] = x;
          p[1] = z;
        } else last.set(key, [x, z]);
      }
      const key = `${style} ${f.label} ${f.dropped ? 2 : f.copy ? 1 : 0}`;
      if (!batches.has(key)) batches.set(key, []);
      batches.get(key).push(f);
    }
    for (const key of [...batches.keys()].sort()) {
      const [style, label, way] = key.split(" ").map(Number);
      const colour = style === 1 ? this.ink.past : style === 2 ? this.ink.future : this.messageColour(label);
      this.g.strokeStyle = this.g.fillStyle = colour;
      this.g.globalAlpha = style ? 1 : (many > DISTLAB_DENSE ? 0.7 : 0.9) * this.dim();
      this.g.lineWidth = style ? Math.max(1.8, thin) : thin;
      this.g.setLineDash(way === 2 ? [5, 4] : way === 1 ? [2, 2] : style ? [] : this.messageDash(label));
      const list = batches.get(key);
      for (let k = 0; k < list.length; k += 400) {
        this.g.beginPath();
        for (const f of list.slice(k, k + 400)) {
          const [x, y] = this.flightEnd(f);
          this.g.moveTo(this.X(f.x0), this.Y(f.from));
          this.g.lineTo(x, y);
        }
        this.g.stroke();
      }
      if (many <= DISTLAB_DENSE || style) dense.push([list, way, colour, style]);
    }
    this.g.setLineDash([]);
    for (const [list, way, colour, style] of dense) this.paintEnds(list, way, colour, style, many);
    if (many > DISTLAB_DENSE && !this.cone)
      this.paintCrosses(
        shown.filter(f => f.dropped),
        2,
      );
    this.g.globalAlpha = 1;
    return shown;
  }

  paintEnds(list, way, colour, style, many) {
    const q = many < 300 ? 6 : 4;
    this.g.globalAlpha = style ? 1 : this.dim();
    if (way === 2) return this.paintCrosses(list, many < 300 ? 4 : 3);
    this.g.fillStyle = colour;
    this.g.beginPath();
    for (const f of list) {
      if (f.part < 1) continue;
      const [x, y] = this.flightEnd(f),
        slope = Math.atan2(y - this.Y(f.from), x - this.X(f.x0));
      this.g.moveTo(x, y);
      this.g.lineTo(x - q * 1.5 * Math.cos(slope - 0.38), y - q * 1.5 * Math.sin(slope - 0.38));
      this.g.lineTo(x - q * 1.5 * Math.cos(slope + 0.38), y - q * 1.5 * Math.sin(slope + 0.38));
      this.g.closePath();
    }
    this.g.fill();
  }

  paintCrosses(list, q) {
    this.g.strokeStyle = this.ink.bad;
    this.g.lineWidth = q > 3 ? 2 : 1.2;
    this.g.beginPath();
    for (const f of list) {
      const [x, y] = this.flightEnd(f);
      this.g.moveTo(x - q, y - q);
      this.g.lineTo(x + q, y + q);
      this.g.moveTo(x + q, y - q);
      this.g.lineTo(x - q, y + q);
    }
    this.g.stroke();
  }
}
