"use strict";
(function () {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const data = read("data");
  const specs = read("specs");
  const articles = [...document.querySelectorAll("article[data-account]")];
  const picker = document.querySelector(".picker");
  const buttons = [...picker.querySelectorAll("button")];

  /* Columns, as they are kept, to the rows that Vega-Lite reads. */
  function rows(columns) {
    const names = Object.keys(columns);
    return columns[names[0]].map((_, n) =>
      Object.fromEntries(names.map((name) => [name, columns[name][n]])));
  }

  function draw(element, account) {
    const name = element.dataset.chart;
    const values = data[account][specs.data[name]];
    if (!values) return;
    const known = (field) => !(field in values) || values[field].some((value) => value !== null);
    let text = JSON.stringify(specs.charts[name]);
    if (specs.data[name] === "days") {
      const length = values.date.length;
      if (length < 21 || length > 70) text = text.replaceAll('"week"', length < 21 ? '"day"' : '"month"');
    }
    const spec = JSON.parse(text);
    spec.layer = spec.layer && spec.layer.filter((one) => known(one.encoding.y.field));
    if (!known(name)) {
      element.parentElement.hidden = element.parentElement.tagName === "DIV";
      return;
    }
    spec.data = { values: rows(values) };
    spec.config = specs.config;
    window.vegaEmbed(element, spec, {
      renderer: "svg", actions: false, ast: true, mode: "vega-lite",
      tooltip: { theme: "custom" },
    }).then(() => element.classList.add("drawn"), (error) => {
      element.textContent = "This chart could not be drawn: " + error.message;
      element.classList.add("not-drawn");
    });
  }

  function choose(account) {
    for (const article of articles) {
      const chosen = article.dataset.account === account;
      article.classList.toggle("chosen", chosen);
      if (!chosen || article.dataset.drawn) continue;
      article.dataset.drawn = "yes";
      for (const element of article.querySelectorAll("[data-chart]")) draw(element, account);
    }
    for (const button of buttons) {
      const chosen = button.dataset.account === account;
      button.setAttribute("aria-pressed", String(chosen));
      if (chosen) picker.scrollLeft = button.offsetLeft - picker.offsetLeft - 14;
    }
  }

  document.documentElement.classList.add("scripted");
  for (const one of document.querySelectorAll("details")) one.open = false;
  picker.hidden = buttons.length < 2;
  picker.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    choose(button.dataset.account);
    history.replaceState(null, "", "#account-" + button.dataset.account);
  });
  const wanted = location.hash.replace("#account-", "");
  const first = articles.find((one) => one.dataset.account === wanted) || articles[0];
  choose(first.dataset.account);
  window.addEventListener("hashchange", () => {
    const now = location.hash.replace("#account-", "");
    const article = articles.find((one) => one.dataset.account === now);
    if (!article) return;
    choose(now);
    article.scrollIntoView(); // it was not there when the browser looked for it
  });
})();
