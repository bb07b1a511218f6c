/* The skill map: what a lesson needs and leads to, and, remembered by this browser, what you have learned. */
"use strict";
{
  const map = document.querySelector(".bk-map"),
    chosen = document.querySelector(".bk-chosen");
  const tiles = new Map([...map.querySelectorAll(".tile")].map(tile => [tile.dataset.id, tile]));
  const edges = [...map.querySelectorAll(".edge")],
    KEY = "distlab-learned";
  const words = text => (text ? text.split(" ") : []);
  let learned = new Set();
  try {
    learned = new Set(JSON.parse(localStorage.getItem(KEY) || "[]"));
  } catch {
    /* no storage for this page: what is ticked lasts as long as the visit */
  }

  function paint() {
    for (const [id, tile] of tiles) {
      const done = learned.has(id),
        open = words(tile.dataset.needs).every(need => learned.has(need));
      tile.classList.toggle("learned", done);
      tile.classList.toggle("next", !done && open && tile.classList.contains("ready"));
    }
  }

  function line(label, ids) {
    const p = document.createElement("p");
    p.append(`${label}: `);
    ids.forEach((id, i) => {
      const a = document.createElement("a");
      a.href = `#${id}`;
      a.textContent = `${id} ${tiles.get(id).dataset.title}`;
      a.onclick = event => {
        event.preventDefault();
        show(id);
      };
      p.append(i ? ", " : "", a);
    });
    if (!ids.length) p.append("nothing");
    return p;
  }

  function show(id) {
    const tile = tiles.get(id),
      ready = tile.classList.contains("ready");
    for (const [other, node] of tiles) node.classList.toggle("chosen", other === id);
    for (const edge of edges) {
      edge.classList.toggle("needs", edge.dataset.to === id);
      edge.classList.toggle("leads", edge.dataset.from === id);
      edge.classList.toggle("off", edge.dataset.to !== id && edge.dataset.from !== id);
    }
    const head = document.createElement(ready ? "a" : "b"),
      question = document.createElement("p");
    head.textContent = `${id} ${tile.dataset.title}`;
    if (ready) head.href = tile.dataset.page;
    question.textContent = tile.dataset.question + (ready ? "" : " (planned)");
    const label = document.createElement("label"),
      box = document.createElement("input");
    box.type = "checkbox";
    box.checked = learned.has(id);
    box.onchange = () => {
      box.checked ? learned.add(id) : learned.delete(id);
      try {
        localStorage.setItem(KEY, JSON.stringify([...learned]));
      } catch {
        /* as above */
      }
      paint();
    };
    label.append(box, " learned");
    chosen.replaceChildren(
      head,
      question,
      line("needs", words(tile.dataset.needs)),
      line("leads to", words(tile.dataset.leads)),
      label,
    );
  }

  for (const [id, tile] of tiles) {
    tile.onclick = event => {
      event.preventDefault();
      show(id);
    };
    tile.onmouseenter = tile.onfocus = () => show(id);
  }
  paint();
  if (tiles.has(location.hash.slice(1))) show(location.hash.slice(1));
}
