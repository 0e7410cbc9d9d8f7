"use strict";
// Search and filters. Without this script the whole page is there all the same.
document.documentElement.className = "script";
document.addEventListener("DOMContentLoaded", () => {
  // On paper everything is open.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = Array.from(document.querySelectorAll("details:not([open])"));
    for (const it of opened) it.open = true;
  });
  addEventListener("afterprint", () => {
    for (const it of opened) it.open = false;
    opened = [];
  });

  const table = document.getElementById("people-by-roles");
  if (!table) return;
  const atOnce = Number(table.dataset.atOnce);
  const control = (id) => document.getElementById(id);
  const controls = ["search", "by-role", "by-way", "by-group", "by-status"].map(control).filter(Boolean);
  const value = (id) => control(id)?.value ?? "";
  const more = control("more");
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const people = Array.from(table.tBodies[0].rows, (row) => {
    const anchor = decodeURIComponent(row.cells[0].querySelector("a").hash.slice(1));
    const words = (list) => (list ? list.split(" ") : []);
    return {
      row,
      card: document.getElementById(anchor),
      text: plain(`${row.cells[0].textContent} ${row.dataset.e}`),
      ways: words(row.dataset.w),
      groups: words(row.dataset.g),
      status: row.dataset.s,
    };
  });
  let limit = atOnce;

  function show() {
    const wanted = plain(value("search")).split(/\s+/).filter(Boolean);
    const [role, way, group, status] = ["by-role", "by-way", "by-group", "by-status"].map(value);
    let found = 0;
    for (const person of people) {
      const matches =
        wanted.every((word) => person.text.includes(word)) &&
        (role === "" || way === ""
          ? person.ways.some((it) => it.slice(0, -1) === role || it.slice(-1) === way) || (role === "" && way === "")
          : person.ways.includes(role + way)) &&
        (group === "" || person.groups.includes(group)) &&
        (status === "" || person.status === status);
      if (matches) found += 1;
      person.row.classList.toggle("out", !matches);
      person.row.classList.toggle("later", matches && found > limit);
      person.card?.classList.toggle("out", !matches);
    }
    control("found").textContent = found === people.length ? `${found} people` : `${found} of ${people.length} people`;
    control("none").hidden = found > 0;
    more.hidden = found <= limit;
    more.textContent = `Show ${Math.min(1000, found - limit)} more of ${found - limit}`;
  }

  function again() {
    limit = atOnce;
    show();
  }

  // A link to somebody whom the filters hide shows everybody again.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.classList.contains("out")) reset();
    target.scrollIntoView();
    if (target.classList.contains("card")) target.focus({ preventScroll: true });
  }

  function reset() {
    for (const it of controls) it.value = "";
    again();
  }

  let waiting;
  control("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(again, 80);
  });
  for (const it of controls.slice(1)) it.addEventListener("change", again);
  control("reset").addEventListener("click", reset);
  more.addEventListener("click", () => {
    limit += 1000;
    show();
  });
  addEventListener("hashchange", reveal);
  show();
  if (location.hash) reveal();
});
