/* What stands on the ground: names, marks, labels, the cone of an event, broken promises. */
"use strict";

const DISTLAB_LABELS = 70,
  DISTLAB_MARKS = 1500;

class DistlabSheet extends DistlabScene {
  /* Text that keeps clear of other text: points along what is written, a line apart from each other. */
  taken = [];
  free = points => points.every(([x, y]) => this.taken.every(([u, v]) => (u - x) ** 2 + (v - y) ** 2 > 110));

  along(x, y, wide, slope) {
    const points = [];
    for (let k = 0; k <= wide; k += 8) points.push([x + k * Math.cos(slope), y + k * Math.sin(slope)]);
    return points;
  }

  write(text, x, y, colour, halo) {
    this.g.lineJoin = "round";
    this.g.strokeStyle = this.ink.paper;
    this.g.lineWidth = 3.5;
    if (halo) this.g.strokeText(text, x, y);
    this.g.fillStyle = colour;
    this.g.fillText(text, x, y);
  }

  /* Names of stretches: states in their bands, down and paused beside the lane, over the messages. */
  paintNames(crossed) {
    const band = this.bandHeight(),
      inside = s => s.x1 >= this.lo && s.x0 <= this.hi;
    this.taken = [];
    this.g.font = `11px ${DISTLAB_FONT}`;
    for (const [list, text, colour] of [
      [this.lanes.down, "down", this.ink.bad],
      [this.lanes.paused, "paused", this.ink.hatch],
    ])
      for (const s of list) {
        const a = Math.max(this.L, this.X(s.x0)),
          b = Math.min(this.W, this.X(s.x1)),
          wide = this.g.measureText(text).width;
        const y = this.Y(s.node) + (text === "down" ? 14 : -Math.min(6, this.S / 6) - 4);
        if (!inside(s) || b - a < wide + 16 || this.S < 26) continue;
        this.write(text, a + 10, y, colour, crossed);
        this.taken.push(...this.along(a + 10, y - 4, wide, 0));
      }
    if (band < 11) return;
    this.g.font = `${Math.min(11, band - 3)}px ${DISTLAB_FONT}`;
    this.g.globalAlpha = this.cone ? 0.35 : 1;
    for (const s of this.lanes.state) {
      if (!inside(s)) continue;
      const a = Math.max(this.L - 4, this.X(s.x0)),
        b = Math.min(this.W, this.X(s.x1)),
        y = this.Y(s.node) + band - 2;
      const payload = s.i >= 0 ? this.words.says(s.i) : "",
        name = this.d.states[s.label] || "";
      for (const text of [payload ? `${name}, ${payload}` : name, name]) {
        const wide = this.g.measureText(text).width;
        if (wide + 10 > b - a) continue;
        this.write(text, a + 5, y, this.ink.ink, crossed);
        this.taken.push(...this.along(a + 5, y - 4, wide, 0));
        break;
      }
    }
    this.g.globalAlpha = 1;
  }

  /* Marks stand above their lane; those that would cover another step up. */
  paintMarks() {
    this.marks = [];
    const shown = this.events.filter(
      i =>
        !this.hidden.has(DISTLAB_GROUPS[this.r.type[i]]) &&
        this.r.node[i] >= 0 &&
        this.r.time[i] >= this.lo &&
        this.r.time[i] <= this.hi,
    );
    const small = shown.length > 400,
      large = small ? 2.4 : 3.6,
      high = Math.max(0, Math.min(2, Math.floor((this.S * 0.3) / 8) - 1));
    if (shown.length > DISTLAB_MARKS) {
      this.g.strokeStyle = this.ink.quiet;
      this.g.lineWidth = 0.6;
      this.g.globalAlpha = 0.6 * this.dim();
      this.g.beginPath();
      const last = new Float64Array(this.n).fill(-9);
      for (const i of shown) {
        const x = this.X(this.r.time[i]),
          y = this.Y(this.r.node[i]);
        if (x - last[this.r.node[i]] < 0.9) continue;
        last[this.r.node[i]] = x;
        this.g.moveTo(x, y);
        this.g.lineTo(x, y - 5);
        this.marks.push([i, x, y - 3, 1]);
      }
      this.g.stroke();
      this.g.globalAlpha = 1;
      return;
    }
    const last = Array.from({ length: this.n }, () => []);
    this.g.lineWidth = small ? 0.9 : 1.2;
    for (const i of shown) {
      const node = this.r.node[i],
        x = this.X(this.r.time[i]),
        timer = DISTLAB_GROUPS[this.r.type[i]] === "timers",
        q = timer ? 0.75 * large : large;
      let level = 0;
      while (level < high && last[node][level] !== undefined && x - last[node][level] < 2 * large + 1.5)
        level++;
      last[node][level] = x;
      const y = this.Y(node) - large - 3.5 - level * (2 * large + 2),
        mark = this.cone ? this.cone[i] : 0;
      this.g.globalAlpha = this.cone && !mark ? 0.2 : 1;
      this.g.strokeStyle = this.g.fillStyle =
        mark === 1
          ? this.ink.past
          : mark === 2
            ? this.ink.future
            : this.r.type[i] === "apply"
              ? this.ink.series[2]
              : timer
                ? this.ink.quiet
                : this.ink.ink;
      distlabShape(this.g, this.r.type[i], x, y, q) ? this.g.fill() : this.g.stroke();
      this.marks.push([i, x, y, level]);
    }
    this.g.globalAlpha = 1;
  }

  /* The lanes of the cone, thick in its two colours. */
  paintCone() {
    const last = new Array(this.n).fill(-1),
      first = new Array(this.n).fill(-1),
      opened = new Array(this.n).fill(-1);
    for (let i = 0; i < this.r.n; i++) {
      const k = this.r.node[i],
        m = this.cone[i];
      if (k < 0) continue;
      if (m === 1 || m === 3) {
        last[k] = this.r.time[i];
        if (opened[k] < 0) opened[k] = this.r.time[i];
      }
      if ((m === 2 || m === 3) && first[k] < 0) first[k] = this.r.time[i];
    }
    this.g.lineWidth = 3.5;
    for (let k = 0; k < this.n; k++) {
      const draw = (a, b, colour) => {
        this.g.strokeStyle = colour;
        this.g.beginPath();
        this.g.moveTo(Math.max(this.L - 4, a), this.Y(k));
        this.g.lineTo(b, this.Y(k));
        this.g.stroke();
      };
      if (last[k] >= 0) draw(this.X(opened[k]), this.X(last[k]), this.ink.past);
      if (first[k] >= 0) draw(this.X(first[k]), this.W, this.ink.future);
    }
    const x = this.X(this.r.time[this.root]),
      y = this.Y(this.r.node[this.root]);
    this.g.fillStyle = this.ink.ink;
    this.g.strokeStyle = this.ink.paper;
    this.g.lineWidth = 2;
    this.g.beginPath();
    this.g.arc(x, y, 6, 0, 7);
    this.g.fill();
    this.g.stroke();
  }

  /* Names along messages and beside marks, where nothing else is. */
  paintLabels(shown) {
    if (this.cone || shown.length > DISTLAB_LABELS || this.S < 24) return;
    this.g.textAlign = "center";
    this.g.font = `11px ${DISTLAB_FONT}`;
    this.labelMarks();
    this.labelFlights(shown);
    this.g.textAlign = "left";
  }

  turned(text, x, y, colour, slope) {
    this.g.save();
    this.g.translate(x, y);
    this.g.rotate(slope);
    this.write(text, 0, 0, colour, true);
    this.g.restore();
  }

  labelMarks() {
    for (const [i, x, y, level] of this.marks.length <= DISTLAB_LABELS ? this.marks : []) {
      if (level || DISTLAB_GROUPS[this.r.type[i]] === "timers" || DISTLAB_GROUPS[this.r.type[i]] === "disk")
        continue;
      const payload = this.words.says(i).split(", ").slice(0, 1).join("");
      for (const text of [
        payload ? `${this.words.title(i)} ${payload}` : this.words.title(i),
        this.words.title(i),
      ]) {
        const wide = this.g.measureText(text).width,
          points = this.along(x + 8, y, wide, 0);
        const near = this.marks.some(
          m => m[0] !== i && Math.abs(m[2] - y) < 9 && m[1] > x && m[1] < x + wide + 12,
        );
        if (near || x + wide + 10 > this.W || !this.free(points)) continue;
        this.turned(text, x + 7 + wide / 2, y + 4, this.ink.quiet, 0);
        this.taken.push(...points, [x, y]);
        break;
      }
    }
  }

  labelFlights(shown) {
    for (const f of shown) {
      const [x1, y1] = this.flightEnd(f),
        x0 = this.X(f.x0),
        y0 = this.Y(f.from),
        long = Math.hypot(x1 - x0, y1 - y0);
      let slope = Math.atan2(y1 - y0, x1 - x0);
      if (Math.abs(slope) > Math.PI / 2) slope += Math.PI;
      const i = f.s >= 0 ? f.s : f.e,
        name = this.words.title(i),
        payload = this.words.says(i);
      const texts =
        f.dropped && f.s >= 0
          ? [`${name}: ${this.words.says(f.e).split(", ")[0].replace("reason ", "")}`, name]
          : payload
            ? [`${name} (${payload})`, name]
            : [name];
      place: for (const text of texts)
        for (const part of [0.5, 0.36, 0.64]) {
          const wide = this.g.measureText(text).width;
          if (wide > long * 0.72) continue;
          const up = 5,
            cx = x0 + (x1 - x0) * part + up * Math.sin(slope),
            cy = y0 + (y1 - y0) * part - up * Math.cos(slope);
          const points = this.along(
              cx - (wide / 2) * Math.cos(slope),
              cy - (wide / 2) * Math.sin(slope),
              wide,
              slope,
            ),
            end = points[points.length - 1];
          if (
            Math.min(points[0][0], end[0]) < this.L ||
            Math.max(points[0][0], end[0]) > this.W ||
            !this.free(points)
          )
            continue;
          this.turned(text, cx, cy, this.messageColour(f.label), slope);
          this.taken.push(...points);
          break place;
        }
    }
  }

  paintBroken() {
    let right = 0;
    for (const i of this.broken) {
      const x = this.X(this.r.time[i]),
        text = `${this.words.title(i)} broken`;
      if (x < this.L - 4 || x > this.W) continue;
      this.g.strokeStyle = this.g.fillStyle = this.ink.bad;
      this.g.lineWidth = 2;
      this.g.beginPath();
      this.g.moveTo(x, 16);
      this.g.lineTo(x, this.H - this.B);
      this.g.stroke();
      this.g.font = `bold 11px ${DISTLAB_FONT}`;
      const wide = this.g.measureText(text).width,
        at = x + 4 + wide < this.W ? x + 4 : x - 4 - wide;
      if (at < right) continue;
      this.g.strokeStyle = this.ink.paper;
      this.g.lineWidth = 4;
      this.g.strokeText(text, at, 26);
      this.g.fillText(text, at, 26);
      right = at + wide + 8;
    }
  }

  paint() {
    const begun = performance.now();
    this.g.clearRect(0, 0, this.W, this.H);
    this.g.fillStyle = this.ink.paper;
    this.g.fillRect(0, 0, this.W, this.H);
    distlabAxis(this.box(), this.g, true);
    this.clip();
    this.paintFaults();
    let dense = 0;
    for (const f of this.r.flights) dense += this.flightShown(f);
    dense = dense > DISTLAB_DENSE;
    if (!dense) this.paintBands(false);
    this.paintLanes();
    const shown = this.paintFlights();
    if (dense) this.paintBands(true);
    this.paintNames(shown.length > 0);
    this.paintMarks();
    if (this.cone) this.paintCone();
    this.paintLabels(shown);
    this.paintBroken();
    this.g.restore();
    distlabAxis(this.box(), this.g, false);
    this.g.font = `${Math.max(8, Math.min(12, this.S * 0.8))}px ${DISTLAB_FONT}`;
    this.g.fillStyle = this.ink.ink;
    this.g.textAlign = "right";
    for (let k = 0; k < this.n; k++)
      if (this.S >= 9 || k % Math.ceil(9 / this.S) === 0)
        this.g.fillText(this.d.nodes[k], this.L - 10, this.Y(k) + 4);
    this.g.textAlign = "left";
    Object.assign(this.el.dataset, {
      ms: (performance.now() - begun).toFixed(1),
      visible: shown.length,
      from: this.lo,
      to: this.hi,
      left: this.L,
      cone: this.cone
        ? `${this.cone.filter(m => m === 1).length},${this.cone.filter(m => m === 2).length}`
        : "",
    });
  }
}
