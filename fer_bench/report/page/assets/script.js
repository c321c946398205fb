"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

  // Colours: the choice is kept where the browser lets a local file keep anything.
  const theme = document.getElementById("theme");
  const apply = (name) => {
    if (name) root.dataset.theme = name;
    else delete root.dataset.theme;
  };
  const kept = (name) => {
    try {
      if (name === undefined) return localStorage.getItem("fer-bench-theme") || "";
      localStorage.setItem("fer-bench-theme", name);
    } catch { /* no storage: the choice lasts as long as the page */ }
    return "";
  };
  theme.value = kept();
  apply(theme.value);
  theme.addEventListener("change", () => { apply(theme.value); kept(theme.value); });

  // Sorting: upwards, downwards, as printed. Cells without a number stay last either way.
  const words = new Intl.Collator("en", { numeric: true });
  const compare = (place, isText, sign) => (one, other) => {
    const [a, b] = [one.cells[place], other.cells[place]];
    if (isText) return sign * words.compare(a.textContent, b.textContent);
    const [x, y] = [a.dataset.key, b.dataset.key];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return sign * (Number(x) - Number(y));
  };
  for (const table of all("table.sortable")) {
    const body = table.tBodies[0];
    const printed = [...body.rows];
    for (const heading of all("th[data-place]", table)) {
      const place = Number(heading.dataset.place);
      const isText = place < Number(table.dataset.texts) || !printed.some((row) => row.cells[place].dataset.key);
      heading.querySelector("button").addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[heading.ariaSort];
        for (const other of all("th[data-place]", table)) other.ariaSort = "none";
        heading.ariaSort = next;
        const sign = next === "descending" ? -1 : 1;
        body.append(...(next === "none" ? printed : [...printed].sort(compare(place, isText, sign))));
      });
    }
  }

  // Columns of words stay in sight while numbers scroll: all of them where they leave room, else the last one.
  const pin = (table) => {
    const box = table.parentElement;
    const count = Number(table.dataset.texts);
    const heads = all("th[data-place]", table).filter((head) => Number(head.dataset.place) < count);
    const rows = [...table.tBodies[0].rows].map((row) => [...row.cells].slice(0, count));
    const widths = heads.map((head) => head.offsetWidth);
    if (!box.clientWidth || !count) return;
    const whole = widths.reduce((sum, width) => sum + width, 0);
    const fits = whole < 0.5 * box.clientWidth;
    table.style.setProperty("--edge", `${fits ? whole : widths[count - 1]}px`);
    for (const cells of [heads, ...rows]) {
      let left = 0;
      cells.forEach((cell, place) => {
        const last = place === count - 1;
        cell.classList.toggle("pinned", fits || last);
        cell.classList.toggle("edge", last);
        cell.style.setProperty("--left", `${fits ? left : 0}px`);
        left += widths[place];
      });
    }
  };
  const pinAll = () => all("table.sortable").forEach(pin);
  let waiting = 0;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(pinAll, 150); });
  all("details.sheet").forEach((one) => one.addEventListener("toggle", () => all("table.sortable", one).forEach(pin)));
  pinAll();

  // Folded tables open when something points to them.
  const unfold = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target && target.closest("details.sheet");
    if (folded && !folded.open) { folded.open = true; folded.scrollIntoView(); }
  };
  addEventListener("hashchange", unfold);
  unfold();
  addEventListener("beforeprint", () => all("details.sheet").forEach((one) => { one.open = true; }));
  if (innerWidth < 1088) document.querySelector(".contents details").open = false;

  // Galleries: which map, which two trainings, and where one ends and the other begins.
  for (const gallery of all("section.gallery")) {
    const data = JSON.parse(gallery.querySelector("script.pictures").textContent);
    const choice = (name) => gallery.querySelector(`[data-choice="${name}"]`);
    const sliders = all('input[type="range"]', gallery);
    const arms = () => [Number(choice("before")?.value ?? 0), Number(choice("after")?.value ?? 1)];
    const told = (slider) => {
      slider.setAttribute("aria-valuetext",
        `${slider.value} % ${slider.dataset.left}, ${100 - slider.value} % ${slider.dataset.right}`);
    };
    const draw = () => {
      const maps = data.maps[choice("kind").value];
      const [before, after] = arms();
      for (const picture of all(".compared", gallery)) {
        for (const [side, arm] of [["before", before], ["after", after]]) {
          const layer = picture.querySelector(`img[data-side="${side}"]`);
          if (!layer) continue;
          const found = maps[arm][Number(picture.dataset.face)];
          layer.hidden = !found;
          if (found) [layer.src, layer.alt] = found;
          picture.querySelector(`[data-tag="${side}"]`).textContent = data.arms[arm];
        }
      }
      for (const slider of sliders) {
        slider.dataset.left = data.arms[before];
        slider.dataset.right = data.arms[after] ?? "";
        told(slider);
      }
    };
    const move = (slider, value) => {
      slider.value = value;
      told(slider);
      slider.closest("figure")?.querySelector(".compared").style.setProperty("--cut", `${value}%`);
    };
    all("select", gallery).forEach((select) => select.addEventListener("change", draw));
    for (const slider of sliders) {
      slider.addEventListener("input", () => {
        const moved = slider.classList.contains("all") ? sliders : [slider];
        moved.forEach((one) => move(one, slider.value));
      });
      told(slider);
    }
  }
})();
