"use strict";
document.documentElement.classList.add("scripted");
for (const form of document.querySelectorAll("form.filters")) {
  const items = [...document.querySelectorAll("[data-of='" + form.dataset.for + "']")];
  const count = form.querySelector("output");
  const more = document.getElementById(form.dataset.for + "-more");
  const step = Number(form.dataset.step) || Infinity;
  let most = step;
  const fits = item => [...form.elements].every(field =>
    field.type === "checkbox" ? !field.checked || item.dataset[field.name] === "yes"
      : field.tagName !== "SELECT" || !field.value || item.dataset[field.name] === field.value);
  const show = () => {
    let fitting = 0;
    for (const item of items) {
      const fit = fits(item);
      if (fit) fitting += 1;
      item.hidden = !fit || fitting > most;
    }
    const shown = Math.min(fitting, most);
    count.textContent = shown + " of " + fitting + " shown" + (fitting < items.length ? " (" + items.length + " without filters)" : "");
    if (more) more.hidden = shown >= fitting;
  };
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("change", () => { most = step; show(); });
  if (more) more.addEventListener("click", () => { most += step; show(); });
  form.reset();
  show();
}
const scrolling = box => {
  box.classList.toggle("scrolls", box.scrollWidth > box.clientWidth + 2);
  box.classList.toggle("ended", box.scrollLeft + box.clientWidth >= box.scrollWidth - 2);
};
const widths = new ResizeObserver(entries => entries.forEach(entry => scrolling(entry.target)));
for (const box of document.querySelectorAll(".scroll")) {
  widths.observe(box);
  box.addEventListener("scroll", () => scrolling(box), { passive: true });
}
