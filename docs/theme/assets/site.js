// Mathematics: KaTeX is fetched by a page that has formulas, when a reader begins to read or the first of them comes near.
const formulas = [...document.querySelectorAll(".arithmatex")]

function loadKatex(base) {
  const add = (tag, attributes) => new Promise((resolve, reject) => {
    const element = Object.assign(document.createElement(tag), attributes, { onload: resolve, onerror: reject })
    document.head.append(element)
  })
  return Promise.all([
    add("link", { rel: "stylesheet", href: new URL("katex.min.css", base) }),
    add("script", { src: new URL("katex.min.js", base) }),
  ])
}

function render(element) {
  const text = element.textContent
  const displayMode = text.startsWith("\\[")
  katex.render(text.slice(2, -2), element, { displayMode, throwOnError: false })
  if (displayMode) element.tabIndex = 0  // a wide formula scrolls in its box, with the keyboard too
}

if (formulas.length) {
  const base = new URL("katex/", document.querySelector('script[src*="assets/site.js"]').src)
  let typeset
  const show = () => typeset ??= loadKatex(base).then(() => formulas.forEach(render))
  const observer = new IntersectionObserver(entries => {
    if (!entries.some(entry => entry.isIntersecting)) return
    observer.disconnect()
    show()
  }, { rootMargin: "60% 0px" })
  formulas.forEach(element => observer.observe(element))
  addEventListener("beforeprint", show)
  // Whoever is about to read on gets them at once, so that no line breaks anew before their eyes.
  const signs = ["pointermove", "touchstart", "wheel", "keydown"]
  signs.forEach(sign => addEventListener(sign, show, { once: true, passive: true }))
}

// What the theme's script adds to code: annotation marks without a name, and a landmark around every copy button.
function mend() {
  document.querySelectorAll(".md-code__nav:not([role])").forEach(nav => nav.setAttribute("role", "none"))
  document.querySelectorAll(".md-annotation__index:not([aria-label])").forEach(mark => {
    const number = mark.firstElementChild?.dataset.mdAnnotationId
    mark.setAttribute("aria-label", document.documentElement.lang === "zh" ? `注释 ${number}` : `Note ${number}`)
  })
}
mend()
new MutationObserver(mend).observe(document.querySelector("article") || document.body, { childList: true, subtree: true })

// A figure opens large, in as many pixels as it has; on a phone it is wider than the window and scrolls.
const figures = document.querySelectorAll("img.figure")
if (figures.length) {
  const close = document.documentElement.lang === "zh" ? "关闭" : "Close"
  const dialog = document.createElement("dialog")
  dialog.className = "large"
  dialog.innerHTML = `<form method="dialog"><button>${close} ✕</button></form><div tabindex="0"><img></div>`
  document.querySelector("article").append(dialog)
  const large = dialog.querySelector("img")
  const show = figure => {
    large.src = figure.src.replace(/#.*/, "")
    large.alt = figure.alt
    // As wide as a phone can scroll to; on a larger screen as much as fits into the window.
    const fits = Math.min(innerWidth * .94, (innerHeight * .96 - 56) * figure.width / figure.height)
    large.width = Math.min(1.6 * figure.getAttribute("width"), innerWidth < 960 ? 900 : fits)  // pixels for each of CSS
    dialog.ariaLabel = figure.alt
    dialog.showModal()
  }
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close() })  // beside the figure
  figures.forEach(figure => {
    Object.assign(figure, { tabIndex: 0, role: "button", ariaHasPopup: "dialog" })
    figure.addEventListener("click", () => show(figure))
    figure.addEventListener("keydown", event => {
      if (event.key !== "Enter" && event.key !== " ") return
      event.preventDefault()
      show(figure)
    })
  })
}

// Tables that sort by the button in a column's head, numbers by their data-sort, everything else as text.
document.querySelectorAll("table.sortable").forEach(table => {
  const body = table.tBodies[0]
  const key = (row, column) => row.cells[column].dataset.sort ?? row.cells[column].textContent
  const collator = new Intl.Collator(document.documentElement.lang)
  const compare = (a, b) => isNaN(a - b) ? collator.compare(a, b) : a - b
  table.querySelectorAll("thead th").forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => {
      const order = head.ariaSort === "ascending" ? "descending" : "ascending"
      table.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"))
      head.setAttribute("aria-sort", order)
      const rows = [...body.rows].sort((a, b) => compare(key(a, column), key(b, column)))
      body.append(...(order === "ascending" ? rows : rows.reverse()))
    })
  })
})
