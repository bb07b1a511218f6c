/* Moving about in the diagram: what is under the pointer, zoom, drag and keys. */
"use strict";

const DISTLAB_HINT =
  "wheel or + −: zoom · drag or ← →: move · double click or 0: all · click an event: causes and effects";

class DistlabView extends DistlabSheet {
  listen() {
    this.canvas.addEventListener(
      "wheel",
      e => {
        const whole = this.hi - this.lo >= (this.full[1] - this.full[0]) * 0.999;
        if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
          if (!whole) {
            e.preventDefault();
            this.shift(e.deltaX / this.W);
          }
          return;
        }
        if (e.deltaY > 0 && whole) return; /* nothing to zoom out of: the page scrolls */
        e.preventDefault();
        this.zoom(
          Math.exp(Math.max(-0.5, Math.min(0.5, e.deltaY * 0.003))),
          this.Tof(Math.max(this.L, e.offsetX)),
        );
      },
      { passive: false },
    );
    this.listenToPointer();
    this.canvas.ondblclick = () => this.look(...this.full);
    this.canvas.onkeydown = e => this.press(e);
    this.dark.addEventListener("change", this.renew);
    new ResizeObserver(() => {
      this.size();
      this.paint();
    }).observe(this.stage);
    this.el.addEventListener("repaint", () => this.paint());
    this.renew();
    this.el.dataset.ready = "1";
  }

  listenToPointer() {
    this.drag = null;
    this.canvas.onpointerdown = e => {
      this.drag = { x: e.offsetX, y: e.offsetY, lo: this.lo, hi: this.hi, moved: false };
      this.canvas.setPointerCapture(e.pointerId);
    };
    this.canvas.onpointermove = e => {
      if (!this.drag) {
        this.hover(e.offsetX, e.offsetY);
        return;
      }
      if (Math.abs(e.offsetX - this.drag.x) > 4) this.drag.moved = true;
      if (!this.drag.moved) return;
      this.canvas.classList.add("drag");
      const by = ((this.drag.x - e.offsetX) / (this.W - this.L - 12)) * (this.drag.hi - this.drag.lo);
      this.look(this.drag.lo + by, this.drag.hi + by);
    };
    this.canvas.onpointerup = e => {
      const click = this.drag && !this.drag.moved;
      this.drag = null;
      this.canvas.classList.remove("drag");
      if (click) {
        const found = this.under(e.offsetX, e.offsetY);
        this.point(null);
        this.choose(found ? found.i : undefined);
      }
    };
    this.canvas.onpointercancel = () => {
      this.drag = null;
      this.canvas.classList.remove("drag");
    };
    this.canvas.onpointerleave = () => this.point(null);
  }

  press(e) {
    const act = {
      ArrowLeft: () => this.shift(-0.15),
      ArrowRight: () => this.shift(0.15),
      "+": () => this.zoom(0.7),
      "=": () => this.zoom(0.7),
      "-": () => this.zoom(1 / 0.7),
      ArrowUp: () => this.zoom(0.7),
      ArrowDown: () => this.zoom(1 / 0.7),
      0: () => this.look(...this.full),
      Home: () => this.look(...this.full),
      Escape: () => this.choose(),
    }[e.key];
    if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    act();
  }

  /* What lies under the pointer: a mark, an end of a message, or a message. */
  under(x, y) {
    let best = null,
      least = 7;
    for (const [i, u, v] of this.marks) {
      const away = Math.hypot(x - u, y - v);
      if (away < least) {
        least = away;
        best = { i, x: u, y: v };
      }
    }
    for (const list of [this.lanes.down, this.lanes.paused, this.lanes.state])
      for (const s of list)
        for (const [t, k] of [[s.x0, s.i]]) {
          if (k < 0 || t < this.lo || t > this.hi) continue;
          const away = Math.hypot(x - this.X(t), y - this.Y(s.node)) + 1;
          if (away < least) {
            least = away;
            best = { i: k, x: this.X(t), y: this.Y(s.node) };
          }
        }
    for (const i of this.broken) if (Math.abs(x - this.X(this.r.time[i])) < 3 && !best) best = { i, x, y };
    if (best) return best;
    least = 6;
    for (const f of this.r.flights) {
      if (!this.flightShown(f)) continue;
      const x0 = this.X(f.x0),
        y0 = this.Y(f.from),
        [x1, y1] = this.flightEnd(f);
      if (
        Math.min(x0, x1) - 6 > x ||
        Math.max(x0, x1) + 6 < x ||
        Math.min(y0, y1) - 6 > y ||
        Math.max(y0, y1) + 6 < y
      )
        continue;
      const long = (x1 - x0) ** 2 + (y1 - y0) ** 2 || 1,
        u = Math.max(0, Math.min(1, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / long));
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
  point(found) {
    this.o.clearRect(0, 0, this.W, this.H);
    if (!found) {
      this.tip.style.display = "none";
      return;
    }
    this.o.strokeStyle = found.f ? this.messageColour(found.f.label) : this.ink.ink;
    this.o.lineWidth = found.f ? 3 : 1.5;
    this.o.beginPath();
    if (found.f) {
      this.o.moveTo(this.X(found.f.x0), this.Y(found.f.from));
      this.o.lineTo(...this.flightEnd(found.f));
    } else this.o.arc(found.x, found.y, 7, 0, 7);
    this.o.stroke();
  }

  hover(x, y) {
    const found = this.under(x, y);
    this.el.dataset.hover = "";
    this.canvas.style.cursor = found ? "pointer" : "";
    this.point(found);
    if (!found) return;
    const [head, lines] = found.f ? this.words.flight(found.f) : this.words.record(found.i);
    this.tip.textContent = "";
    distlabMake("b", "", this.tip, head);
    this.tip.append("\n" + lines.join("\n"));
    this.el.dataset.hover = [head, ...lines].join("; ");
    this.tip.style.display = "block";
    const box = this.tip.getBoundingClientRect();
    this.tip.style.left = `${Math.max(0, Math.min(this.W - box.width, found.x + 14))}px`;
    this.tip.style.top = `${y + 16 + box.height < this.H ? y + 16 : Math.max(0, y - box.height - 12)}px`;
  }

  choose(i) {
    this.root = i === undefined || this.r.node[i] < 0 || DISTLAB_DONE_TO.has(this.r.type[i]) ? -1 : i;
    this.cone = this.root >= 0 ? distlabCone(this.r, this.n, this.root) : null;
    this.paint();
    if (!this.cone) {
      this.hint.textContent = DISTLAB_HINT;
      return;
    }
    const [head, lines] = this.words.record(this.root),
      [past, future] = this.el.dataset.cone.split(",");
    const says = `${past} events may have caused it, ${future} may follow from it`;
    this.hint.textContent = `${head}, ${lines.join(", ")}: ${says} · Esc: back`;
  }

  look(a, b) {
    const least = Math.max((this.full[1] - this.full[0]) * 1e-6, this.d.tick * 20),
      most = this.full[1] - this.full[0];
    let wide = Math.min(most, Math.max(least, b - a));
    a = Math.max(this.full[0], Math.min(this.full[1] - wide, a + (b - a - wide) / 2));
    this.lo = a;
    this.hi = a + wide;
    this.point(null);
    this.paint();
  }

  zoom = (k, t = (this.lo + this.hi) / 2) => this.look(t - (t - this.lo) * k, t + (this.hi - t) * k);

  shift = part => this.look(this.lo + (this.hi - this.lo) * part, this.hi + (this.hi - this.lo) * part);

  renew = () => {
    this.colours();
    this.drawLegend();
    this.size();
    this.paint();
  };
}

function distlabDiagram(el, d) {
  new DistlabView(el, d).listen();
}
