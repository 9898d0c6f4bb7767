"use strict";
// Sorting, searching, choosing the signal, and one class's spectrum beside all: the page says everything without it.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  document.documentElement.classList.add("scripted");

  function chooseSignal(signal) {
    for (const shown of all("[data-signal]")) shown.hidden = signal !== "" && shown.dataset.signal !== signal;
    for (const button of all("[data-choose]")) button.setAttribute("aria-pressed", button.dataset.choose === signal);
  }

  const outlines = JSON.parse(document.getElementById("outlines")?.textContent ?? "{}");

  function points(across, down) {
    return across.map((x, i) => `${x} ${down[i]}`);
  }

  function outline(across, spectrum, part) {
    if (!spectrum) return "";
    const [low, middle, high] = spectrum;
    if (part === "line") return "M" + points(across, middle).join("L");
    return "M" + [...points(across, high), ...points(across, low).reverse()].join("L") + "Z";
  }

  function showClass(number) {
    for (const [signal, { x, of }] of Object.entries(outlines))
      for (const kind of Object.keys(of))
        for (const part of ["band", "line"]) {
          const shape = document.getElementById(`spectrum-${signal}-on-demand-${kind}-${part}`);
          shape.querySelector("path").setAttribute("d", outline(x, of[kind][number], part));
        }
  }

  const table = document.getElementById("class-table");
  const rows = table ? all("tbody tr", table) : [];
  const key = (row, column) => row.cells[column].dataset.v ?? (column ? "" : row.cells[0].textContent);

  function sortBy(heading, column) {
    const down = heading.getAttribute("aria-sort") === "none" ? column > 0 : heading.getAttribute("aria-sort") === "ascending";
    for (const other of all("th", table.tHead)) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const compare = column
      ? (a, b) => Number(a) - Number(b)
      : (a, b) => a.localeCompare(b, undefined, { numeric: true });
    const sign = down ? -1 : 1;
    rows.sort((a, b) => {
      const [one, other] = [key(a, column), key(b, column)];
      // What is undefined stands last whichever way the rest is sorted.
      if (one === "" || other === "") return (one === "") - (other === "");
      return sign * compare(one, other);
    });
    table.tBodies[0].append(...rows);
  }

  function search(text) {
    const wanted = text.trim().toLocaleLowerCase();
    let found = 0;
    for (const row of rows) {
      row.hidden = !row.cells[0].textContent.toLocaleLowerCase().includes(wanted);
      found += !row.hidden;
    }
    const count = rows.length.toLocaleString("en");
    document.getElementById("class-count").textContent = wanted ? `${found} of ${count} classes` : `${count} classes`;
  }

  const menu = document.getElementById("class-menu");
  menu?.addEventListener("change", () => showClass(menu.value));
  document.getElementById("class-search")?.addEventListener("input", (event) => search(event.target.value));
  for (const button of all("[data-choose]")) button.addEventListener("click", () => chooseSignal(button.dataset.choose));
  for (const button of all("[data-sort]"))
    button.addEventListener("click", () => sortBy(button.closest("th"), Number(button.dataset.sort)));
  for (const button of all(".pick"))
    button.addEventListener("click", () => {
      menu.value = button.dataset.class;
      showClass(menu.value);
      document.getElementById("spectra").scrollIntoView();
    });
})();
